/** From the PEM text of a key file to a WebCrypto signing key. */
import type { CryptoKey } from "jose";
import { SparekeyKeyError } from "./errors.ts";
import { pkcs8FromPkcs1 } from "./pkcs8.ts";

const pem = /-----BEGIN (RSA PRIVATE KEY|PRIVATE KEY)-----([A-Za-z0-9+/=\s]+)-----END \1-----/;

/**
 * Imports an RSA private key for RS256, PKCS#1 (`RSA PRIVATE KEY`, the vendor's form) or PKCS#8 (`PRIVATE KEY`).
 * The result cannot be exported again.
 *
 * @throws SparekeyKeyError `private_key_unreadable`
 */
export async function importPrivateKey(text: string): Promise<CryptoKey> {
  const [, label, base64] = pem.exec(text) ?? [];
  if (label === undefined || base64 === undefined) {
    throw new SparekeyKeyError("private_key_unreadable", "accessKey is not an RSA private key in PEM form");
  }
  try {
    const der = Uint8Array.from(atob(base64.replace(/\s/g, "")), (character) => character.charCodeAt(0));
    const pkcs8 = label === "PRIVATE KEY" ? der : pkcs8FromPkcs1(der);
    return await crypto.subtle.importKey("pkcs8", pkcs8, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, false, [
      "sign",
    ]);
  } catch {
    throw new SparekeyKeyError("private_key_unreadable", "accessKey holds PEM text that is no RSA private key");
  }
}
