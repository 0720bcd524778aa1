import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeProtectedHeader, jwtVerify } from "jose";
import { createAccessTokenSource } from "./access-token.ts";
import { keyFileFor, testPkcs8Pem, testPublicKey } from "./testing/key-files.ts";

const start = Date.parse("2026-01-02T03:04:05.678Z");
const keyFile = keyFileFor("https://codes.example.com");

function sourceAt(clock: { now: number }) {
  return createAccessTokenSource(keyFile, () => clock.now);
}

test("the token is the vendor's: RS256, typ JWT, sub, aud, iat and exp, and nothing more", async () => {
  const token = await sourceAt({ now: start })();
  assert.deepEqual(decodeProtectedHeader(token), { alg: "RS256", typ: "JWT" });
  const { payload } = await jwtVerify(token, testPublicKey, { currentDate: new Date(start) });
  assert.deepEqual(payload, {
    sub: keyFile.accessID,
    aud: "https://codes.example.com/AdminInterface/restapi",
    iat: Math.floor(start / 1000),
    exp: Math.floor(start / 1000) + 1_800,
  });
});

test("a PKCS#8 key in the key file signs as well", async () => {
  const token = await createAccessTokenSource({ ...keyFile, accessKey: testPkcs8Pem }, () => start)();
  await jwtVerify(token, testPublicKey, { currentDate: new Date(start) });
});

test("one token serves until two minutes before its end, then a new one", async () => {
  const clock = { now: start };
  const token = sourceAt(clock);
  const [first, alike] = await Promise.all([token(), token()]);
  assert.equal(first, alike);
  clock.now = start + 27 * 60_000;
  assert.equal(await token(), first);
  clock.now = start + 28 * 60_000;
  assert.notEqual(await token(), first);
});

test("a clock that was set back gets a new token, not one from the future", async () => {
  const clock = { now: start };
  const token = sourceAt(clock);
  const first = await token();
  clock.now = start - 60_000;
  assert.notEqual(await token(), first);
});
