import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { pkcs8FromPkcs1 } from "./pkcs8.ts";

for (const modulusLength of [512, 1024, 2048, 3072]) {
  test(`a ${modulusLength}-bit key wrapped here is byte for byte what OpenSSL writes`, () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength });
    const wrapped = pkcs8FromPkcs1(privateKey.export({ type: "pkcs1", format: "der" }));
    assert.deepEqual(Buffer.from(wrapped), privateKey.export({ type: "pkcs8", format: "der" }));
    assert.ok(createPrivateKey({ key: Buffer.from(wrapped), format: "der", type: "pkcs8" }).equals(privateKey));
  });
}
