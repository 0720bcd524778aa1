import { SparekeyConnectionError } from "./errors.ts";

/** `fetch` as the platform defines it, or anything that behaves like it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** One request, ready to send. */
export interface ServerRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Absolute. */
  url: string;
  /** Without the credentials. */
  headers?: Record<string, string>;
  /** Sent as JSON; nothing is sent when it is undefined. */
  body?: unknown;
  /** Sending it twice does it once, so it may be sent again when its answer was lost. A GET always is. */
  repeatable?: boolean;
}

/** One answer, whatever its status. */
export interface ServerAnswer {
  status: number;
  headers: Headers;
  /** The whole body. */
  text: string;
}

/**
 * Sends one request once and reads the whole answer.
 *
 * @throws SparekeyConnectionError when no whole answer arrived in time
 */
export async function exchange(
  fetch: Fetch,
  request: ServerRequest,
  credentials: Record<string, string>,
  timeoutMs: number,
): Promise<ServerAnswer> {
  const headers: Record<string, string> = { accept: "application/json", ...request.headers, ...credentials };
  const signal = AbortSignal.timeout(timeoutMs);
  // A redirect would carry the token to wherever it points, and turn a PUT into a GET.
  const init: RequestInit = { method: request.method, headers, signal, redirect: "manual", cache: "no-store" };
  if (request.body !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(request.body);
  }
  try {
    const response = await fetch(request.url, init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (error) {
    const { host } = new URL(request.url);
    const late = signal.aborted;
    const message = late ? `no answer from ${host} within ${timeoutMs} ms` : `no connection to ${host}`;
    throw new SparekeyConnectionError(message, { code: late ? "timed_out" : "connection_failed", cause: error });
  }
}
