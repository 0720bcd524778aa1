import type { KeyFile } from "@sparekey/contract";
import type { CryptoKey } from "jose";
import { SignJWT } from "jose/jwt/sign";
import { importPrivateKey } from "./private-key.ts";
import { adminBaseUrl } from "./server-urls.ts";

const lifetimeSeconds = 30 * 60;
/** A token is replaced this long before its end, so that none ends on its way to the server. */
const renewalSeconds = 2 * 60;

/** Gives a token that is good for at least two minutes more. */
export type AccessTokenSource = () => Promise<string>;

/**
 * Signs access tokens with an API key (RS256: `sub` the key's access ID, `aud` the administration base address,
 * half an hour from `iat` to `exp`) and hands out the same one until shortly before its end.
 */
export function createAccessTokenSource(keyFile: KeyFile, now: () => number): AccessTokenSource {
  const audience = adminBaseUrl(keyFile.adminRestApiUrl);
  let key: Promise<CryptoKey> | undefined;
  let current: { token: Promise<string>; from: number; until: number } | undefined;

  async function sign(issuedAt: number): Promise<string> {
    key ??= importPrivateKey(keyFile.accessKey);
    return new SignJWT()
      .setProtectedHeader({ alg: "RS256", typ: "JWT" })
      .setSubject(keyFile.accessID)
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + lifetimeSeconds)
      .sign(await key);
  }

  return () => {
    const nowSeconds = Math.floor(now() / 1000);
    // A clock that was set back would leave a token from the future in use, which servers refuse.
    if (!current || nowSeconds >= current.until || nowSeconds < current.from) {
      const until = nowSeconds + lifetimeSeconds - renewalSeconds;
      current = { token: sign(nowSeconds), from: nowSeconds, until };
    }
    return current.token;
  };
}
