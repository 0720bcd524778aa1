/** Bearer tokens of one API key, signed before they are used: signing costs ten times what verifying does. */
import { createPrivateKey, type KeyObject, randomUUID, sign } from "node:crypto";
import { promisify } from "node:util";
import type { KeyFile } from "@sparekey/contract";
import { unpinLoad } from "../servers/cores.ts";

const lifetimeSeconds = 3_600;
/** A run may last longer than a token. */
const renewAfterMs = 25 * 60_000;

const signAside = promisify(sign);

export class BearerTokens {
  readonly #keyFile: KeyFile;
  readonly #key: KeyObject;
  #tokens: string[] = [];
  #signedAtMs = Number.NEGATIVE_INFINITY;

  constructor(keyFile: KeyFile) {
    this.#keyFile = keyFile;
    this.#key = createPrivateKey(keyFile.accessKey);
  }

  /** That many different ones, good for half an hour at least. */
  async take(count: number): Promise<string[]> {
    if (performance.now() - this.#signedAtMs > renewAfterMs) {
      this.#tokens = [];
      this.#signedAtMs = performance.now();
    }
    const missing = count - this.#tokens.length;
    if (missing > 100) unpinLoad();
    const batch = 64;
    for (let made = 0; made < missing; made += batch) {
      const each = Array.from({ length: Math.min(batch, missing - made) }, () => this.#sign());
      this.#tokens.push(...(await Promise.all(each)));
    }
    return this.#tokens.slice(0, count);
  }

  async #sign(): Promise<string> {
    const { accessID, adminRestApiUrl } = this.#keyFile;
    const now = Math.floor(Date.now() / 1_000);
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { sub: accessID, aud: adminRestApiUrl, iat: now, exp: now + lifetimeSeconds, jti: randomUUID() };
    const head = `${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}`;
    const signature = await signAside("sha256", Buffer.from(head), this.#key);
    return `${head}.${signature.toString("base64url")}`;
  }
}
