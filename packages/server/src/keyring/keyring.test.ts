import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { systemRandom } from "../platform/random.ts";
import { startCore, type TestCore } from "../testing/core.ts";
import { databaseIn } from "../testing/data-directory.ts";
import { generateRootKey, openKeyring, parseRootKey, type RootKey, WrongRootKey } from "./service.ts";

describe("the keyring", () => {
  let core: TestCore;
  let database: DatabaseSync;
  before(async () => {
    core = await startCore();
    database = new DatabaseSync(databaseIn(core.dataDir));
  });
  after(async () => {
    database.close();
    await core.close();
  });

  const openWith = (rootKey: RootKey, companyId = core.company.id) =>
    openKeyring(core.db.read, companyId, rootKey, systemRandom);

  it("opens with the installation's root key alone", async () => {
    const keyring = await openWith(core.rootKey);
    assert.equal(keyring.current("code_pepper").bytes.length, 32);
    const other = parseRootKey(generateRootKey(systemRandom)) as RootKey;
    await assert.rejects(openWith(other), WrongRootKey);
  });

  it("holds another key for every purpose, and finds a key only under its own", async () => {
    const keyring = await openWith(core.rootKey);
    const keys = (["code_pepper", "name_digest", "attempt_seal"] as const).map((purpose) => keyring.current(purpose));
    assert.equal(new Set(keys.map(({ bytes }) => bytes.toString("hex"))).size, 3);
    const { kid, bytes } = keyring.current("code_pepper");
    assert.deepEqual(keyring.find("code_pepper", kid)?.bytes, bytes);
    assert.equal(keyring.find("name_digest", kid), undefined);
  });

  it("opens what was sealed for the same purpose and context, and nothing else", async () => {
    const keyring = await openWith(core.rootKey);
    const sealed = keyring.seal("attempt_seal", "attempt 1", Buffer.from("jane"));
    assert.equal(keyring.open("attempt_seal", "attempt 1", sealed).toString(), "jane");
    assert.throws(() => keyring.open("attempt_seal", "attempt 2", sealed));
    assert.throws(() => keyring.open("name_digest", "attempt 1", sealed), /is gone/);
    assert.throws(() => keyring.open("attempt_seal", "attempt 1", { ...sealed, kid: "unknown" }), /is gone/);
  });

  it("lies in the database without one byte of any key in the clear", async () => {
    const keyring = await openWith(core.rootKey);
    const rows = JSON.stringify(database.prepare("SELECT * FROM keyring_keys").all());
    for (const purpose of ["code_pepper", "name_digest", "attempt_seal"] as const) {
      const { bytes } = keyring.current(purpose);
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
      database.exec("CREATE TEMP TABLE kept AS SELECT * FROM keyring_keys");
      database.exec(move);
      await assert.rejects(openWith(core.rootKey), WrongRootKey, move);
      database.exec("DELETE FROM keyring_keys; INSERT INTO keyring_keys SELECT * FROM kept; DROP TABLE kept");
    }
    await openWith(core.rootKey);
  });

  it("says so when a key is missing rather than making a new one", async () => {
    await assert.rejects(openWith(core.rootKey, "another-company"), WrongRootKey);
  });
});
