import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { systemRandom } from "../platform/random.ts";
import { startCore, type TestCore } from "../testing/core.ts";
import { openKeyring } from "../testing/data-directory.ts";
import { keepingKeys, runSql } from "../testing/raw-sql.ts";
import { rotationOf } from "../testing/rotation.ts";
import { generateRootKey, keyPurposes, parseRootKey, type RootKey, WrongRootKey } from "./service.ts";

describe("the keyring", () => {
  let core: TestCore;
  before(async () => {
    core = await startCore();
  });
  after(async () => {
    await core.close();
  });

  const openWith = async (rootKey: RootKey, company = core.company) =>
    (await openKeyring({ db: core.db, clock: core.clock, rootKey, company })).keyring.fresh();

  it("opens with the installation's root key alone", async () => {
    const keys = await openWith(core.rootKey);
    assert.equal(keys.current("code_pepper").bytes.length, 32);
    const other = parseRootKey(generateRootKey(systemRandom)) as RootKey;
    await assert.rejects(openWith(other), WrongRootKey);
  });

  it("holds another key for every purpose, and finds a key only under its own", async () => {
    const keys = await openWith(core.rootKey);
    const texts = keyPurposes.map((purpose) => keys.current(purpose).bytes.toString("hex"));
    assert.equal(new Set(texts).size, keyPurposes.length);
    const { kid, bytes } = keys.current("code_pepper");
    assert.deepEqual(keys.find("code_pepper", kid)?.bytes, bytes);
    assert.equal(keys.find("name_digest", kid), undefined);
  });

  it("opens what was sealed for the same purpose and context, and nothing else", async () => {
    const keys = await openWith(core.rootKey);
    const sealed = keys.seal("attempt_seal", "attempt 1", Buffer.from("jane"));
    assert.equal(keys.open("attempt_seal", "attempt 1", sealed)?.toString(), "jane");
    assert.throws(() => keys.open("attempt_seal", "attempt 2", sealed));
    assert.throws(() => keys.open("name_digest", "attempt 1", sealed), /is gone/);
    assert.throws(() => keys.open("attempt_seal", "attempt 1", { ...sealed, kid: "unknown" }), /is gone/);
  });

  it("lies in the database without one byte of any key in the clear", async () => {
    const keys = await openWith(core.rootKey);
    const rows = JSON.stringify(await runSql(core.db, "SELECT * FROM keyring_keys"));
    for (const purpose of keyPurposes) {
      const { bytes } = keys.current(purpose);
      for (const form of ["hex", "base64", "base64url"] as const) assert.ok(!rows.includes(bytes.toString(form)));
    }
  });

  it("does not open a key that was moved to another purpose, kid or company", async () => {
    const moves = [
      "UPDATE keyring_keys SET wrapped = (SELECT wrapped FROM keyring_keys WHERE purpose = 'name_digest') WHERE purpose = 'code_pepper'",
      "UPDATE keyring_keys SET purpose = 'name_digest' WHERE purpose = 'code_pepper'",
      "UPDATE keyring_keys SET kid = 'another-kid' WHERE purpose = 'code_pepper'",
    ];
    for (const move of moves) {
      await keepingKeys(core.db, async () => {
        await runSql(core.db, move);
        await assert.rejects(openWith(core.rootKey), WrongRootKey, move);
      });
    }
    await openWith(core.rootKey);
  });

  it("says so when a key is missing rather than making a new one", async () => {
    await assert.rejects(openWith(core.rootKey, { ...core.company, id: "another-company" }), WrongRootKey);
    await keepingKeys(core.db, async () => {
      await runSql(core.db, "DELETE FROM keyring_keys WHERE purpose = 'code_pepper'");
      await rotationOf(core).addMissingKeys(core.rootKey);
      await assert.rejects(openWith(core.rootKey), WrongRootKey);
    });
  });
});
