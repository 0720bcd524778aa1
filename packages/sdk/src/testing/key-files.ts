import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { KeyFile } from "@sparekey/contract";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** The public half of every key that {@link keyFileFor} makes. */
export const testPublicKey: KeyObject = publicKey;

export const testPkcs1Pem = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
export const testPkcs8Pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();

/** A key file in the vendor's form for a server at this root. */
export function keyFileFor(serverUrl: string): KeyFile {
  return {
    customerName: "Example Ltd",
    accessID: "0b3ad6c6-7f55-4f1b-9b3b-6f2f8a5f3c11",
    accessKey: testPkcs1Pem,
    adminRestApiUrl: `${serverUrl}/AdminInterface/restapi/`,
  };
}
