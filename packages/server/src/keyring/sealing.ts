/** The root key: 32 bytes that live outside the database and wrap every other key. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Random } from "../platform/random.ts";

/** 32 bytes. */
export type RootKey = Buffer & { readonly rootKey: unique symbol };

const algorithm = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;

/** Reads the base64 text that a root key file or variable holds; undefined when it is not 32 bytes. */
export function parseRootKey(text: string): RootKey | undefined {
  const trimmed = text.trim();
  if (!/^[A-Za-z0-9+/]{43}=$/.test(trimmed)) return undefined;
  return Buffer.from(trimmed, "base64") as RootKey;
}

export function generateRootKey(random: Random): string {
  return random.bytes(32).toString("base64");
}

/**
 * Encrypts bytes under a 32-byte key: nonce, ciphertext and tag, base64url.
 *
 * `context` is authenticated and not stored, so a value moved to another row or purpose does not open.
 */
export function seal(key: Buffer, context: string, plain: Buffer, random: Random): string {
  const nonce = random.bytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString("base64url");
}

/** What `seal` hid. Throws when key, context or bytes are not the ones it was sealed with. */
export function open(key: Buffer, context: string, sealed: string): Buffer {
  const bytes = Buffer.from(sealed, "base64url");
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-tagBytes));
  return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
}
