/** What an honest client signs with, and what a forger could lay hands on. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { KeyFile } from "@sparekey/contract";
import { instantToMs } from "../platform/clock.ts";
import type { TestInstallation } from "./installation.ts";
import { jws, rsa } from "./jws.ts";

export interface TokenKit {
  /** Seconds since 1970, by the installation's clock. */
  now: number;
  keyFile: KeyFile;
  /** The API key that the server knows the public half of. */
  key: KeyObject;
  publicKey: KeyObject;
  publicPem: string;
  /** An RSA key that the server has never seen. */
  strangerKey: KeyObject;
  ecKey: KeyObject;
  /** What an honest token says. */
  claims: { sub: string; iat: number; exp: number; aud: string };
  /** A token that differs from an honest one in these claims, or is nothing but this text, and in this header. */
  signed(claims?: object | string, header?: object): string;
}

/** A token that must be refused, as it stands in the Authorization header. */
export interface RefusedToken {
  name: string;
  authorization(kit: TokenKit): string;
}

export const honestHeader = { alg: "RS256", typ: "JWT" };

export function createTokenKit({ keyFile, clock }: Pick<TestInstallation, "keyFile" | "clock">): TokenKit {
  const now = Math.floor(instantToMs(clock.now()) / 1_000);
  const key = createPrivateKey(keyFile.accessKey);
  const publicKey = createPublicKey(key);
  const claims = { sub: keyFile.accessID, iat: now, exp: now + 600, aud: keyFile.adminRestApiUrl };
  return {
    ...{ now, keyFile, key, publicKey, claims },
    publicPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    strangerKey: generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey,
    ecKey: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
    signed: (changed = {}, header = {}) =>
      jws({ ...honestHeader, ...header }, typeof changed === "string" ? changed : { ...claims, ...changed }, rsa(key)),
  };
}
