import assert from "node:assert/strict";
import { createHmac, pbkdf2Sync } from "node:crypto";
import { describe, it } from "node:test";
import { systemRandom } from "../platform/random.ts";
import type { PlainCode } from "./code.ts";
import { type CodeDigest, type DigestBinding, digestCode, digestsEqual, dummyRecipe, newRecipe } from "./digest.ts";

const pepper = { kid: "pepper-1", bytes: Buffer.alloc(32, 7) };
const binding: DigestBinding = { companyId: "company", userId: "jane", codeId: "code-1" };
const code = "7K3M9QZX4TP" as PlainCode;
const recipe = {
  salt: Buffer.alloc(16, 9).toString("base64url"),
  algorithm: "pbkdf2-sha256",
  iterations: 100,
  pepperKid: "pepper-1",
};

/** What a row holds verifies this code of this user, and nothing else may. */
async function verifies(typed: PlainCode, of: DigestBinding, key = pepper): Promise<boolean> {
  return digestsEqual(await digestCode(typed, of, recipe, key), await digestCode(code, binding, recipe, pepper));
}

describe("the digest of a code", () => {
  it("verifies the code it was made of, for the user it was made for", async () => {
    assert.equal(await verifies(code, binding), true);
    assert.equal(await verifies("7K3M9QZX4TQ" as PlainCode, binding), false);
  });

  it("verifies nothing once its row is copied to another user, company or code id", async () => {
    assert.equal(await verifies(code, { ...binding, userId: "mallory" }), false);
    assert.equal(await verifies(code, { ...binding, companyId: "other" }), false);
    assert.equal(await verifies(code, { ...binding, codeId: "code-2" }), false);
  });

  it("verifies nothing without the pepper it was made with", async () => {
    assert.equal(await verifies(code, binding, { kid: "pepper-1", bytes: Buffer.alloc(32, 8) }), false);
  });

  it("differs with the salt and with the count", async () => {
    const digests = [
      await digestCode(code, binding, recipe, pepper),
      await digestCode(code, binding, { ...recipe, salt: Buffer.alloc(16, 1).toString("base64url") }, pepper),
      await digestCode(code, binding, { ...recipe, iterations: 101 }, pepper),
    ];
    assert.equal(new Set(digests).size, 3);
  });

  it("keeps the parts of its binding apart, so that no text can move from one into the next", async () => {
    const shifted = [
      binding,
      { companyId: "companyj", userId: "ane", codeId: "code-1" },
      { companyId: "compan", userId: "yjane", codeId: "code-1" },
      { companyId: "company", userId: "janec", codeId: "ode-1" },
      { companyId: "", userId: "companyjane", codeId: "code-1" },
    ];
    const digests = await Promise.all(shifted.map((one) => digestCode(code, one, recipe, pepper)));
    assert.equal(new Set(digests).size, shifted.length);
  });

  it("control: parts that are only joined collide", () => {
    const joined = ({ companyId, userId, codeId }: DigestBinding) =>
      createHmac("sha256", pepper.bytes).update(`eac/v1${companyId}${userId}${codeId}${code}`).digest("hex");
    assert.equal(joined(binding), joined({ companyId: "companyj", userId: "ane", codeId: "code-1" }));
  });

  it("is HMAC-SHA-256 under the pepper, then PBKDF2: rows of this form stay readable for good", async () => {
    const parts = ["eac/v1", "company", "jane", "code-1", code];
    const message = Buffer.concat(
      parts.flatMap((part) => [Buffer.from([0, 0, 0, Buffer.byteLength(part)]), Buffer.from(part)]),
    );
    const keyed = createHmac("sha256", pepper.bytes).update(message).digest();
    const expected = pbkdf2Sync(keyed, Buffer.alloc(16, 9), 100, 32, "sha256").toString("base64url");
    assert.equal(await digestCode(code, binding, recipe, pepper), expected);
    assert.equal(expected, "F2HdSJV5DflVy7WhGjwQ-mnT_vCph4W4v1aiARH59AY");
  });

  it("is the same whether it is worked out in this thread or in another", async () => {
    const numeric = "12345678" as PlainCode;
    const slow = { ...recipe, iterations: 10_000 };
    const parts = ["eac/v1", "company", "jane", "code-1", numeric];
    const message = Buffer.concat(parts.flatMap((part) => [Buffer.from([0, 0, 0, part.length]), Buffer.from(part)]));
    const keyed = createHmac("sha256", pepper.bytes).update(message).digest();
    const expected = pbkdf2Sync(keyed, Buffer.alloc(16, 9), 10_000, 32, "sha256").toString("base64url");
    assert.equal(await digestCode(numeric, binding, slow, pepper), expected);
  });

  it("refuses an algorithm that it does not know, rather than guessing", async () => {
    await assert.rejects(
      digestCode(code, binding, { ...recipe, algorithm: "md5" }, pepper),
      /unknown digest algorithm md5/,
    );
  });
});

describe("the recipe of a digest", () => {
  const symbols10 = "00000000000" as PlainCode;
  const symbols13 = "00000000000000" as PlainCode;
  const digits8 = "00000000" as PlainCode;
  const digits10 = "0000000000" as PlainCode;

  it("takes 100 iterations from 50 bits up, and 10,000 for digits", () => {
    const counts = [symbols10, symbols13, digits8, digits10].map(
      (one) => newRecipe(one, pepper, systemRandom).iterations,
    );
    assert.deepEqual(counts, [100, 100, 10_000, 10_000]);
  });

  it("takes a new salt of 16 bytes for every code, and names the pepper", () => {
    const recipes = Array.from({ length: 50 }, () => newRecipe(symbols10, pepper, systemRandom));
    assert.equal(new Set(recipes.map(({ salt }) => salt)).size, 50);
    for (const { salt, pepperKid } of recipes) {
      assert.equal(Buffer.from(salt, "base64url").length, 16);
      assert.equal(pepperKid, "pepper-1");
    }
  });

  it("asks the same work for the code of nobody as for a real one of its form", () => {
    for (const one of [symbols10, symbols13, digits8, digits10]) {
      const { iterations, algorithm } = newRecipe(one, pepper, systemRandom);
      assert.deepEqual(
        { ...dummyRecipe(one, pepper), salt: "" },
        { salt: "", algorithm, iterations, pepperKid: "pepper-1" },
      );
    }
  });
});

describe("comparing digests", () => {
  it("says no to nothing, to a shorter one and to one that differs in its last bit", () => {
    const digest = Buffer.alloc(32, 1).toString("base64url") as CodeDigest;
    const other = Buffer.alloc(32, 1);
    other[31] = 0;
    assert.equal(digestsEqual(digest, digest), true);
    assert.equal(digestsEqual(digest, other.toString("base64url") as CodeDigest), false);
    assert.equal(digestsEqual(digest, "" as CodeDigest), false);
    assert.equal(digestsEqual(digest, digest.slice(0, 20) as CodeDigest), false);
  });
});
