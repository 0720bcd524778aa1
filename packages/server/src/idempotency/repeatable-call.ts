/**
 * A call that its client may send again: how it is named, and what is derived from its name.
 *
 * The client's key is kept nowhere. It is what makes a row findable and, together with a key of the server's, what
 * opens the answer in it: a stolen database opens nothing, and neither does the server for a client that does not
 * send the key once more.
 */
import { createHash, createHmac, hkdfSync } from "node:crypto";
import { idempotencyKeyPattern } from "@sparekey/contract";
import canonicalize from "canonicalize";
import type { Principal } from "../principal.ts";

/** What the client sent as `Idempotency-Key`, without quotes. */
export type IdempotencyKey = string & { readonly idempotencyKey: unique symbol };

/** A call with an `Idempotency-Key`. */
export interface RepeatableCall {
  key: IdempotencyKey;
  /** Method and pattern: the same key on another route names another call. */
  route: string;
  /** JSON of everything that was asked. */
  request: unknown;
  /** Called when the answer is one that was given before. */
  onRepeat(): void;
}

/** Who makes the call, and where. */
export interface CallScope {
  companyId: string;
  principal: Principal;
}

/** What is derived from a call and one of the server's keys. */
export interface CallSecrets {
  /** Tells two requests under one key apart. Base64url. */
  requestDigest: string;
  /** Seals the answer; 32 bytes. */
  answerKey: Buffer;
}

/** Reads the header in either form, bare or as a string of RFC 9651; undefined when it is no key. */
export function readIdempotencyKey(header: string): IdempotencyKey | undefined {
  const text = header.startsWith('"') ? unquote(header) : header;
  return text !== undefined && idempotencyKeyPattern.test(text) ? (text as IdempotencyKey) : undefined;
}

/**
 * Finds a call's row. The client's key is the only key to it: one of the server's would be replaced one day, and
 * the same call would then be looked for under two digests, or done twice.
 */
export function digestOf(scope: CallScope, { key, route }: RepeatableCall): string {
  return createHmac("sha256", key)
    .update(placeOf("digest", scope, route))
    .digest("base64url");
}

export function secretsOf(serverKey: Buffer, scope: CallScope, { key, route, request }: RepeatableCall): CallSecrets {
  const asked = canonicalJson(request);
  const derive = (...parts: string[]) => {
    // A digest of the place, because the length of what HKDF takes there is limited.
    const [label = "", ...more] = parts;
    const info = createHash("sha256")
      .update(placeOf(label, scope, route, ...more))
      .digest();
    // The server's key has a fixed length, so no two pairs of keys make the same bytes.
    return Buffer.from(hkdfSync("sha256", Buffer.concat([serverKey, Buffer.from(key)]), "", info, 32));
  };
  return {
    requestDigest: createHmac("sha256", derive("request")).update(asked).digest("base64url"),
    answerKey: derive("answer", asked),
  };
}

/** JSON of an array: no two lists of texts give the same one. */
function placeOf(label: string, { companyId, principal }: CallScope, route: string, ...more: string[]): string {
  return JSON.stringify(["idempotency/v1", label, companyId, principal.kind, principal.id, route, ...more]);
}

/** RFC 8785, so that the order of properties makes no other request. */
function canonicalJson(value: unknown): string {
  const json = canonicalize(value);
  if (json === undefined) throw new Error("a request must be JSON");
  return json;
}

/** Only the quote and the backslash are escaped; nothing may follow the string. */
function unquote(header: string): string | undefined {
  const inner = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/.exec(header)?.[1];
  return inner?.replace(/\\(["\\])/g, "$1");
}
