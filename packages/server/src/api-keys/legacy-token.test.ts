import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, it } from "node:test";
import { createTestClock } from "../testing/clock.ts";
import { jws, rsa } from "../testing/jws.ts";
import { createTokenKit, honestHeader } from "../testing/token-kit.ts";
import { audiencesOf, claimedKeyId, importPublicKey, isValidAt, readLegacyToken } from "./legacy-token.ts";

const publicUrl = "http://localhost:8080";
const audiences = audiencesOf(publicUrl);
const pair = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const kit = createTokenKit({
  clock: createTestClock(),
  keyFile: {
    customerName: "Test Company",
    accessID: "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    accessKey: pair.privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
    adminRestApiUrl: `${publicUrl}/AdminInterface/restapi/`,
  },
});
const read = (token: string) => readLegacyToken(token, pair.publicKey, audiences);

describe("importPublicKey", () => {
  const pemOf = (key: KeyObject) => key.export({ type: "spki", format: "pem" }).toString();
  const rsaKey = (modulusLength: number) => generateKeyPairSync("rsa", { modulusLength }).publicKey;

  it("takes RSA of 2048 bits", () => {
    assert.ok(importPublicKey(pemOf(pair.publicKey)).equals(pair.publicKey));
  });

  it("refuses RSA that is shorter", () => {
    for (const bits of [1_024, 2_040]) assert.throws(() => importPublicKey(pemOf(rsaKey(bits))), /2048 bits/);
  });

  it("refuses keys of another kind", () => {
    const others = [
      generateKeyPairSync("rsa-pss", { modulusLength: 2_048 }).publicKey,
      generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey,
      generateKeyPairSync("ed25519").publicKey,
    ];
    for (const key of others) assert.throws(() => importPublicKey(pemOf(key)), /must be RSA/);
  });

  it("refuses what is no key", () => {
    for (const text of ["", "secret", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"]) {
      assert.throws(() => importPublicKey(text));
    }
  });
});

describe("readLegacyToken", () => {
  it("answers who signed and for how long", async () => {
    const { iat, exp, sub } = kit.claims;
    assert.deepEqual(await read(kit.signed()), { keyId: sub, issuedAt: iat, expiresAt: exp });
    assert.deepEqual(await read(kit.signed({ iat: `${iat}`, exp: exp + 0.5 })), {
      keyId: sub,
      issuedAt: iat,
      expiresAt: exp + 0.5,
    });
  });

  it("says what is wrong with a token, and throws for none", async () => {
    const cases: [token: string, fault: string][] = [
      ["", "malformed"],
      ["a.b.c", "malformed"],
      [kit.signed("null"), "bad_claims"],
      [kit.signed("[]"), "bad_claims"],
      [kit.signed("{"), "malformed"],
      [kit.signed({}, { typ: 1 }), "malformed"],
      [jws(honestHeader, kit.claims, rsa(kit.strangerKey)), "bad_signature"],
      [kit.signed({ sub: [kit.claims.sub] }), "bad_claims"],
      [kit.signed({ exp: kit.claims.iat }), "bad_claims"],
      [kit.signed({ aud: [kit.claims.aud] }), "wrong_audience"],
    ];
    for (const [token, fault] of cases) assert.equal(await read(token), fault, token);
  });

  it("takes no payload that is not UTF-8", async () => {
    const [before = "", after = ""] = JSON.stringify({ ...kit.claims, name: "HERE" }).split("HERE");
    const bytes = Buffer.concat([Buffer.from(before), Buffer.from([0xff, 0xfe]), Buffer.from(after)]);
    const input = `${Buffer.from(JSON.stringify(honestHeader)).toString("base64url")}.${bytes.toString("base64url")}`;
    assert.equal(await read(`${input}.${rsa(kit.key)(input).toString("base64url")}`), "malformed");
  });
});

describe("claimedKeyId", () => {
  it("finds the access ID of a token whose signature nobody has looked at", () => {
    assert.equal(claimedKeyId(kit.signed()), kit.claims.sub);
    assert.equal(claimedKeyId(jws(honestHeader, kit.claims, rsa(kit.strangerKey))), kit.claims.sub);
  });

  it("is undefined for everything else, and throws for nothing", () => {
    const subs = [
      undefined,
      null,
      1,
      "",
      [kit.claims.sub],
      { id: kit.claims.sub },
      `${kit.claims.sub}\n`,
      "x".repeat(36),
    ];
    for (const sub of subs) assert.equal(claimedKeyId(kit.signed({ sub })), undefined);
    for (const token of ["", ".", "..", "a.b.c", "🔑.🔑.🔑", kit.signed("null"), "x".repeat(100_000)]) {
      assert.equal(claimedKeyId(token), undefined);
    }
  });
});

describe("audiencesOf", () => {
  it("holds the base URL in the six ways that clients write it, whatever the public URL's own form", () => {
    const six = ["", "/", ...["", "/", "/v1", "/v1/"].map((end) => `/AdminInterface/restapi${end}`)];
    for (const url of ["https://sparekey.example", "https://sparekey.example/", "https://SPAREKEY.example:443/x"]) {
      assert.deepEqual([...audiencesOf(url)].sort(), six.map((end) => `https://sparekey.example${end}`).sort());
    }
  });
});

describe("isValidAt", () => {
  it("allows 60 seconds before the token and less than 60 after it", () => {
    const token = { keyId: "", issuedAt: 1_000, expiresAt: 2_000 };
    const validAt = (seconds: number) => isValidAt(token, seconds * 1_000);
    assert.deepEqual([939.999, 940, 1_000, 2_000, 2_059.999, 2_060].map(validAt), [
      false,
      true,
      true,
      true,
      true,
      false,
    ]);
  });
});
