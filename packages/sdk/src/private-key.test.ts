import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { importPrivateKey } from "./private-key.ts";
import { testPkcs1Pem, testPkcs8Pem } from "./testing/key-files.ts";

const message = new TextEncoder().encode("message");
const signed = async (pem: string) =>
  Buffer.from(await crypto.subtle.sign("RSASSA-PKCS1-v1_5", await importPrivateKey(pem), message));

test("PKCS#1 and PKCS#8 of one key sign alike", async () => {
  assert.deepEqual(await signed(testPkcs1Pem), await signed(testPkcs8Pem));
});

test("line ends, text around the block and the lack of a final line end do not matter", async () => {
  const expected = await signed(testPkcs1Pem);
  assert.deepEqual(await signed(testPkcs1Pem.replaceAll("\n", "\r\n")), expected);
  assert.deepEqual(await signed(`my key\n${testPkcs1Pem.trim()}`), expected);
});

test("the imported key cannot be exported", async () => {
  assert.equal((await importPrivateKey(testPkcs1Pem)).extractable, false);
});

const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const unreadable: Record<string, string> = {
  "empty text": "",
  "a public key": generateKeyPairSync("rsa", { modulusLength: 1024 })
    .publicKey.export({ type: "spki", format: "pem" })
    .toString(),
  "an elliptic key": elliptic.export({ type: "pkcs8", format: "pem" }).toString(),
  "a cut key": testPkcs1Pem.replace(/\n.+\n-----END/, "\n-----END"),
  "broken base64": testPkcs1Pem.replace(/\n.{5}/, "\n====="),
  "mixed labels": testPkcs1Pem.replace("END RSA PRIVATE KEY", "END PRIVATE KEY"),
};

for (const [what, text] of Object.entries(unreadable)) {
  test(`${what} is refused without being quoted`, async () => {
    await assert.rejects(importPrivateKey(text), (error: Error & { code?: string }) => {
      assert.equal(error.code, "private_key_unreadable");
      assert.equal(error.cause, undefined);
      const secretLine = text.split("\n")[1];
      if (secretLine) assert.ok(!error.message.includes(secretLine));
      return true;
    });
  });
}
