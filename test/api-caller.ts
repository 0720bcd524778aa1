/** Calls a running server as its clients do: nothing is retried, nothing is hidden. */
import { createSign } from "node:crypto";
import type { KeyFile } from "@sparekey/contract";

/** What was answered. `body` is parsed JSON, or undefined when it is not JSON. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape, and fail where one differs.
  body: any;
}

/** A string goes out as the body as it is; anything else as JSON. */
export type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

export interface ApiCaller {
  /** Without credentials. */
  call: Send;
  /** As the administrator whose key file it is. */
  admin: Send;
  /** With the Authentication API key. */
  client: Send;
}

/** How a request gets there and its answer back. Throws a `TypeError`, as `fetch` does, when there is none. */
export type Transport = (
  url: string,
  request: { method: string; headers: Record<string, string>; body?: string },
) => Promise<{ status: number; headers: Headers; text: string }>;

export function createApiCaller(
  url: string,
  { keyFile, clientKey }: { keyFile: KeyFile; clientKey: string },
  transport: Transport = overFetch,
): ApiCaller {
  const authorization = authorizationOf(keyFile);
  const call: Send = async (method, path, body, headers = {}) => {
    const content = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const type = content === undefined ? {} : { "content-type": "application/json" };
    const init = { method, headers: { ...type, ...headers }, ...(content !== undefined && { body: content }) };
    const answer = await transport(url + path, init);
    return { ...answer, body: parse(answer.text) };
  };
  return {
    call,
    admin: (method, path, body, headers) => call(method, path, body, { authorization, ...headers }),
    client: (method, path, body, headers) => call(method, path, body, { "client-key": clientKey, ...headers }),
  };
}

const overFetch: Transport = async (url, request) => {
  const response = await fetch(url, request);
  return { status: response.status, headers: response.headers, text: await response.text() };
};

/** The `Authorization` header of the administrator whose key file it is. */
export function authorizationOf(keyFile: KeyFile): string {
  return `Bearer ${signToken(keyFile)}`;
}

/** The legacy token that the vendor's clients make with a key file. */
function signToken({ accessID, accessKey, adminRestApiUrl }: KeyFile): string {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const claims = { sub: accessID, aud: adminRestApiUrl, iat: nowSeconds, exp: nowSeconds + 3_600 };
  const parts = [{ alg: "RS256", typ: "JWT" }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  const signed = parts.join(".");
  return `${signed}.${createSign("RSA-SHA256").update(signed).sign(accessKey, "base64url")}`;
}

/** Changes the company's settings. */
export async function changeSettings({ admin }: ApiCaller, change: Record<string, unknown>) {
  const { body, headers } = await admin("GET", "/api/v1/settings");
  const ifMatch = { "if-match": headers.get("etag") ?? "" };
  const { status, text } = await admin("PUT", "/api/v1/settings", { ...body, ...change }, ifMatch);
  if (status !== 200) throw new Error(`settings were not changed: ${text}`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
