/** Tokens built by hand, so that a test can get any part of one wrong. */
import { constants, createHmac, type KeyObject, sign } from "node:crypto";

/** Signs the first two parts of a token, as they are sent. */
export type Signer = (input: string) => Buffer;

export const unsigned: Signer = () => Buffer.alloc(0);

export const rsa =
  (key: KeyObject, hash = "sha256"): Signer =>
  (input) =>
    sign(hash, Buffer.from(input), key);

export const rsaPss =
  (key: KeyObject): Signer =>
  (input) =>
    sign("sha256", Buffer.from(input), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });

export const ecdsa =
  (key: KeyObject, dsaEncoding: "ieee-p1363" | "der" = "ieee-p1363"): Signer =>
  (input) =>
    sign("sha256", Buffer.from(input), { key, dsaEncoding });

export const hmac =
  (secret: string | Buffer, hash = "sha256"): Signer =>
  (input) =>
    createHmac(hash, secret).update(input).digest();

/** Header and payload are JSON unless they are text, which is taken as it is. */
export function jws(header: unknown, payload: unknown, signer: Signer): string {
  const input = `${part(header)}.${part(payload)}`;
  return `${input}.${signer(input).toString("base64url")}`;
}

/** Takes a token apart. */
export function partsOf(token: string): [header: string, payload: string, signature: string] {
  return token.split(".") as [string, string, string];
}

function part(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}
