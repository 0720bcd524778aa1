/** HTTP byte by byte, for what a well-behaved client would never send. */
import { once } from "node:events";
import { connect } from "node:net";
import type { TestInstallation } from "./installation.ts";

export interface RawAnswer {
  /** 0 when the server closed the connection without a word. */
  status: number;
  /** Names in lower case. */
  headers: Map<string, string>;
  /** Parsed JSON, or text when it is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape, and fail where one differs.
  body: any;
}

export interface RawRequest {
  headers?: readonly string[];
  body?: string;
}

/** A request as it goes over the wire. */
export function requestText(method: string, path: string, { headers = [], body = "" }: RawRequest = {}): string {
  const length = body === "" ? [] : [`content-length: ${Buffer.byteLength(body)}`];
  const lines = [`${method} ${path} HTTP/1.1`, "host: localhost", "connection: close", ...headers, ...length];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

/**
 * Sends these bytes on a connection of their own and answers what comes back until it is closed.
 * With `halfClose` the client says that no more will come.
 */
export async function exchange(
  { url }: Pick<TestInstallation, "url">,
  bytes: string | Buffer,
  { halfClose = false } = {},
): Promise<RawAnswer> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  const received: Buffer[] = [];
  socket.on("data", (chunk) => received.push(chunk));
  // A server that refuses early may close while the rest is still being sent.
  socket.on("error", () => {});
  if (halfClose) socket.end(bytes);
  else socket.write(bytes);
  await once(socket, "close");
  return parseAnswer(Buffer.concat(received).toString());
}

function parseAnswer(text: string): RawAnswer {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [statusLine = "", ...lines] = head.split("\r\n");
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const body = rest.join("\r\n\r\n");
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? 0), headers, body: parseJson(body) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
