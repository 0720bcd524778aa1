/** HTTP over connections that stay open, much lighter than fetch; one that breaks throws what fetch throws. */
import { Agent, request } from "node:http";
import type { Transport } from "../api-caller.ts";

/** Longer than any answer may take. A call that hangs for longer is a finding. */
const answerWithinMs = 30_000;

/** The call was not answered, or only with 503: whether it happened is not known. */
export class Unanswered extends TypeError {
  override readonly name = "Unanswered";
}

export function keepAlive(maxSockets = 256): Transport {
  const agent = new Agent({ keepAlive: true, maxSockets });
  return (url, { method, headers, body }) =>
    new Promise((resolve, reject) => {
      const fail = (cause: Error) => reject(new Unanswered("no answer", { cause }));
      const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
      const sent = request(url, { agent, method, headers: { ...headers, ...length } }, (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => {
          text += chunk;
        });
        answer.on("end", () => {
          const pairs = Object.entries(answer.headers).map(
            ([name, value]) => [name, String(value)] as [string, string],
          );
          resolve({ status: answer.statusCode ?? 0, headers: new Headers(pairs), text });
        });
        answer.on("error", fail);
      });
      sent.setTimeout(answerWithinMs, () => sent.destroy(new Error(`${method} ${url} was not answered at all`)));
      sent.on("error", fail);
      sent.end(body);
    });
}
