import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { systemRandom } from "../platform/random.ts";
import { startCore, type TestCore } from "../testing/core.ts";
import { openDataDirectory, openKeyring } from "../testing/data-directory.ts";
import { runSql } from "../testing/raw-sql.ts";
import { createWholeClock, rotationOf } from "../testing/rotation.ts";
import {
  generateRootKey,
  type KeyringService,
  keyPurposes,
  parseRootKey,
  type RootKey,
  rootKeyFits,
  WrongRootKey,
} from "./service.ts";

const newRootKey = () => parseRootKey(generateRootKey(systemRandom)) as RootKey;
const everything = { purposes: keyPurposes, overlapMs: undefined };

describe("the replacement of the root key", () => {
  let clock: ReturnType<typeof createWholeClock>;
  let core: TestCore;
  let keyring: KeyringService;
  /** What the node finds where its root key comes from. */
  let source: RootKey[];

  beforeEach(async () => {
    clock = createWholeClock();
    core = await startCore("vendor", clock);
    source = [core.rootKey];
    keyring = (await openKeyring({ ...core, clock, readRootKeys: async () => source })).keyring;
  });
  afterEach(async () => {
    await core.close();
  });

  const open = (rootKey: RootKey) => openKeyring({ ...core, clock, rootKey });
  const rotation = () => rotationOf(core);
  const fits = (rootKey: RootKey) => rootKeyFits(core.db.read, core.company.id, rootKey);
  const allKeys = async (of: KeyringService) => {
    const keys = await of.fresh();
    const rows = await runSql(core.db, "SELECT kid, purpose FROM keyring_keys ORDER BY kid");
    return rows.map(({ kid, purpose }) => keys.find(purpose as "code_pepper", String(kid))?.bytes.toString("hex"));
  };
  const pass = async (durationMs: number) => {
    clock.advance(durationMs);
    await keyring.fresh();
  };

  it("keeps every key, and none opens with the old root key any more", async () => {
    const before = await allKeys(keyring);
    const next = newRootKey();
    assert.equal(await rotation().replaceRootKey(core.rootKey, next), keyPurposes.length);
    assert.deepEqual(await allKeys((await open(next)).keyring), before);
    await assert.rejects(open(core.rootKey), WrongRootKey);
  });

  it("is on the record, without the key", async () => {
    const next = newRootKey();
    await rotation().replaceRootKey(core.rootKey, next);
    const { events } = await core.audit.find({ action: "root_key.replaced" });
    assert.deepEqual(
      events.map(({ details, actor }) => [details, actor.kind]),
      [[{ keys: 4 }, "command"]],
    );
    assert.ok(!JSON.stringify(events).includes(next.toString("base64")));
  });

  it("changes nothing when the root key is not the right one, or the record cannot be written", async () => {
    const before = await runSql(core.db, "SELECT * FROM keyring_keys");
    await assert.rejects(rotation().replaceRootKey(newRootKey(), newRootKey()), WrongRootKey);
    await assert.rejects(rotation().rotate(newRootKey(), everything), WrongRootKey);
    await runSql(core.db, "ALTER TABLE audit_events RENAME TO hidden");
    await assert.rejects(rotation().replaceRootKey(core.rootKey, newRootKey()));
    await runSql(core.db, "ALTER TABLE hidden RENAME TO audit_events");
    assert.deepEqual(await runSql(core.db, "SELECT * FROM keyring_keys"), before);
  });

  it("at the same moment as rotations loses no key: all that there are open with the new root key", async () => {
    const next = newRootKey();
    const others = await Promise.all(Array.from({ length: 6 }, () => openDataDirectory(core, clock)));
    const works = others.map(({ db, company }, i) => {
      const other = rotationOf({ db, company, clock });
      return i === 3 ? other.replaceRootKey(core.rootKey, next) : other.rotate(core.rootKey, everything);
    });
    const results = await Promise.allSettled(works);
    assert.equal(results[3]?.status, "fulfilled");
    for (const result of results) assert.ok(result.status === "fulfilled" || result.reason instanceof WrongRootKey);
    const rotated = results.filter(({ status }) => status === "fulfilled").length - 1;
    assert.equal((await allKeys((await open(next)).keyring)).length, (rotated + 1) * keyPurposes.length);
    assert.equal(await fits(next), true);
    for (const { db } of others) await db.close();
  });

  it("leaves a running node at work, which takes the new root key from its source", async () => {
    const before = await allKeys(keyring);
    const next = newRootKey();
    source = [core.rootKey, next];
    await rotation().replaceRootKey(core.rootKey, next);
    await pass(1_000);
    assert.deepEqual(await allKeys(keyring), before);
    const [pepper] = await rotation().rotate(next, everything);
    await pass(2_000);
    await keyring.checkReady();
    assert.equal((await keyring.fresh()).current("code_pepper").kid, pepper?.newKid);
  });

  it("lets a node without the new one go on, but neither be ready nor use an older key once there is a newer", async () => {
    const before = await allKeys(keyring);
    const next = newRootKey();
    await rotation().replaceRootKey(core.rootKey, next);
    await pass(1_000);
    assert.deepEqual(await allKeys(keyring), before);
    await keyring.checkReady();

    const [pepper] = await rotation().rotate(next, everything);
    await pass(1_000);
    await assert.rejects(keyring.checkReady(), { code: "unavailable" });
    const oldKid = pepper?.oldKids[0] ?? "";
    assert.equal((await keyring.fresh()).current("code_pepper").kid, oldKid);
    await pass(1_000);
    const keys = await keyring.fresh();
    assert.throws(() => keys.current("code_pepper"), { code: "unavailable" });
    assert.equal(keys.find("code_pepper", pepper?.newKid ?? ""), undefined);
    assert.ok(keys.find("code_pepper", oldKid), "codes from before are still verified");

    source = [next];
    await keyring.recover();
    await keyring.checkReady();
    assert.equal((await keyring.fresh()).current("code_pepper").kid, pepper?.newKid);
  });

  it("never makes a running node take a key that its root key does not open", async () => {
    const before = await allKeys(keyring);
    const stranger = newRootKey();
    const other = await startCore("vendor", clock);
    await rotationOf(other).replaceRootKey(other.rootKey, stranger);
    const [foreign] = await other.db.read.selectFrom("keyring_keys").select("wrapped").execute();
    await runSql(core.db, `UPDATE keyring_keys SET wrapped = '${foreign?.wrapped}'`);
    await runSql(core.db, "UPDATE revision SET number = number + 1");
    await pass(1_000);
    assert.deepEqual(await allKeys(keyring), before);
    await other.close();
  });
});
