/** HTTP over many sockets at once, each kept open: what a race needs, and much lighter than fetch. */
import { Agent, request } from "node:http";
import type { TestInstallation } from "./installation.ts";

export interface ManySockets {
  /** A call with the Authentication API key. Answers the status and the parsed body. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape, and fail where one differs.
  post(path: string, body: unknown): Promise<{ status: number; body: any }>;
  close(): void;
}

export function openSockets({ url, clientKey }: TestInstallation, maxSockets: number): ManySockets {
  const agent = new Agent({ keepAlive: true, maxSockets });
  const { hostname: host, port } = new URL(url);
  return {
    post: (path, body) =>
      new Promise((resolve, reject) => {
        const headers = { "client-key": clientKey, "content-type": "application/json" };
        const sent = request({ agent, host, port, path, method: "POST", headers }, (answer) => {
          let text = "";
          answer.setEncoding("utf8");
          answer.on("data", (chunk: string) => {
            text += chunk;
          });
          answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) }));
          answer.on("error", reject);
        });
        sent.on("error", reject);
        sent.end(JSON.stringify(body));
      }),
    close: () => agent.destroy(),
  };
}
