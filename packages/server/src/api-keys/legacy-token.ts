/**
 * The vendor's legacy token: a JWT that the client signs by itself with its API key.
 *
 * Clients in the field differ in how they write times and the audience, and all of them are taken.
 * Nothing else is: one algorithm, no key that the token itself names, no claim that is missing or of
 * another type.
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import { compactVerify, decodeJwt, errors } from "jose";

/** Seconds that the two clocks may differ. */
const skewSeconds = 60;
const maxLifetimeSeconds = 3_600;
/** No client's token comes near it; what is longer is not worth the parsing. */
const maxTokenLength = 8_192;
const minKeyBits = 2_048;

/** Why a token was refused: for the log and the record, never for the client. */
export type TokenFault =
  | "malformed"
  | "unknown_key"
  | "bad_signature"
  | "bad_claims"
  | "wrong_audience"
  | "not_valid_now";

export interface LegacyToken {
  keyId: string;
  /** Seconds since 1970. */
  issuedAt: number;
  expiresAt: number;
}

/** The access ID that a token claims, to find its key by. Nothing is proven yet. */
export function claimedKeyId(token: string): string | undefined {
  if (token.length > maxTokenLength) return undefined;
  try {
    const { sub } = decodeJwt(token);
    return typeof sub === "string" && /^[0-9a-f-]{36}$/.test(sub) ? sub : undefined;
  } catch {
    return undefined;
  }
}

/** An SPKI PEM as a key for `readLegacyToken`. Throws when it is not RSA of 2048 bits or more. */
export function importPublicKey(pem: string): KeyObject {
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType !== "rsa" || (key.asymmetricKeyDetails?.modulusLength ?? 0) < minKeyBits) {
    throw new Error(`an API key must be RSA of ${minKeyBits} bits or more`);
  }
  return key;
}

/** Checks signature, form and audience; whether the token is valid *now* is `isValidAt`'s question. */
export async function readLegacyToken(
  token: string,
  publicKey: KeyObject,
  audiences: ReadonlySet<string>,
): Promise<LegacyToken | TokenFault> {
  let claims: Record<string, unknown>;
  try {
    const { payload, protectedHeader } = await compactVerify(token, publicKey, { algorithms: ["RS256"] });
    if (protectedHeader.typ !== undefined && protectedHeader.typ.toUpperCase() !== "JWT") return "malformed";
    claims = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload)) ?? {};
  } catch (error) {
    return error instanceof errors.JWSSignatureVerificationFailed ? "bad_signature" : "malformed";
  }
  const issuedAt = numericDate(claims.iat);
  const expiresAt = numericDate(claims.exp);
  if (typeof claims.sub !== "string" || issuedAt === undefined || expiresAt === undefined) return "bad_claims";
  if (expiresAt <= issuedAt || expiresAt - issuedAt > maxLifetimeSeconds) return "bad_claims";
  if (typeof claims.aud !== "string" || !audiences.has(claims.aud)) return "wrong_audience";
  return { keyId: claims.sub, issuedAt, expiresAt };
}

export function isValidAt({ issuedAt, expiresAt }: LegacyToken, nowMs: number): boolean {
  const now = nowMs / 1_000;
  return issuedAt <= now + skewSeconds && now < expiresAt + skewSeconds;
}

/** Every audience that clients write for one base URL such as `https://host/AdminInterface/restapi`. */
export function audiencesOf(publicUrl: string): ReadonlySet<string> {
  const origin = new URL(publicUrl).origin;
  const base = `${origin}/AdminInterface/restapi`;
  return new Set([origin, `${origin}/`, ...["", "/", "/v1", "/v1/"].map((end) => base + end)]);
}

/** A number, or a string of digits, as clients write it. Floats are fine; NaN, infinity and the rest are not. */
function numericDate(value: unknown): number | undefined {
  if (typeof value === "string") return /^\d{1,12}$/.test(value) ? Number(value) : undefined;
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}
