import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { sql } from "kysely";
import { parseRootKey, type RootKey, WrongRootKey } from "../keyring/service.ts";
import { addMs, type Instant } from "../platform/clock.ts";
import { openSqlite } from "../platform/database/sqlite.ts";
import { systemRandom } from "../platform/random.ts";
import type { Tables } from "../schema/tables.ts";
import { createTestClock } from "../testing/clock.ts";
import { startCore, type TestCore } from "../testing/core.ts";
import { fixtureDatabase, readFixture } from "../testing/release-fixture.ts";
import { backUp, openServices, type RestoredCore, restoreFrom, rowsOf } from "../testing/restored.ts";
import { checkBackup, checkRootKey, DamagedBackup, NewerBackup, restoreBackup } from "./service.ts";

const directory = mkdtempSync(join(tmpdir(), "sparekey-restore-"));
after(() => rmSync(directory, { recursive: true }));
const fileIn = (name: string) => join(directory, name);

describe("restoring a backup", () => {
  let core: TestCore;
  let restored: RestoredCore;
  /** The database's own file as it was when the backup was made. */
  let copied: string;
  const codes: Record<string, string> = {};
  const path = fileIn("a.backup");

  before(async () => {
    core = await startCore();
    for (const username of ["used.later", "revoked.later", "still.live", "expired", "used.before"]) {
      const { id } = await core.createUser(username);
      codes[username] = await core.issue(id, { oneTime: username.startsWith("used") });
    }
    const past = addMs(core.clock.now(), -60_000);
    const { id: expired } = (await core.users.findByLoginName("expired")) ?? assert.fail();
    await core.db.write((trx) =>
      trx.updateTable("emergency_access").set({ expires_at: past }).where("user_id", "=", expired).execute(),
    );
    await core.verify("used.before", codes["used.before"] as string);
    for (let i = 0; i < 4; i++) await core.verify("still.live", "00000000000");
    await core.authentication.initialize(core.client, { subjectName: "still.live", context: { messageId: "m" } });
    await core.db.write((trx) =>
      trx
        .insertInto("idempotent_calls")
        .values({
          ...{ company_id: core.company.id, digest: "d", request_digest: "r", sealed: "s", seal_kid: "k" },
          ...{ answer_ends_at: core.clock.now(), expires_at: core.clock.now() },
        })
        .execute(),
    );
    await backUp(core.db, path, core.clock);
    copied = fileIn("copied.db");
    await core.db.migrate((connection) => sql`VACUUM INTO ${copied}`.execute(connection));

    assert.equal(await core.verify("used.later", codes["used.later"] as string), true);
    const { id } = (await core.users.findByLoginName("revoked.later")) ?? assert.fail();
    await core.codes.revoke(core.administrator, id);
    restored = await restoreFrom(path, core.rootKey, core.clock);
  });
  after(async () => {
    await restored.close();
    await core.close();
  });

  it("brings no code back to life: not one used or revoked since, and none that was live", async () => {
    for (const [user, code] of Object.entries(codes)) assert.equal(await restored.verify(user, code), false, user);
    const access = await restored.db.read.selectFrom("emergency_access").selectAll().execute();
    assert.equal(access.filter(({ status }) => status === "active").length, 0);
    assert.equal(access.filter(({ status }) => status === "consumed").length, 1);
  });

  it("control: in the database's file of that moment, the used and the revoked code work again", async () => {
    copyFileSync(copied, fileIn("control.db"));
    const db = openSqlite<Tables>(fileIn("control.db"));
    const { verify } = await openServices(db, core.rootKey, core.clock);
    for (const user of ["used.later", "revoked.later"]) assert.equal(await verify(user, codes[user] as string), true);
    await db.close();
  });

  it("keeps everything else as it was, row by row", async () => {
    const original = openSqlite<Tables>(copied);
    const same = ["company", "settings", "keyring_keys", "api_keys", "authn_keys", "users", "login_names"] as const;
    for (const table of same) assert.deepEqual(await rowsOf(restored.db, table), await rowsOf(original, table), table);
    const events = await rowsOf(restored.db, "audit_events");
    for (const event of await rowsOf(original, "audit_events")) {
      assert.ok(events.some((one) => JSON.stringify(one) === JSON.stringify(event)));
    }
    await original.close();
  });

  it("keeps failures, so that a restore is no new supply of guesses", async () => {
    const { id } = (await restored.users.findByLoginName("still.live")) ?? assert.fail();
    assert.equal((await restored.codes.access(id)).failures, 4);
  });

  it("leaves no attempt open and no call to be repeated, and raises the revision", async () => {
    assert.deepEqual(await rowsOf(restored.db, "authn_attempts"), []);
    assert.deepEqual(await rowsOf(restored.db, "idempotent_calls"), []);
    assert.equal((await rowsOf(core.db, "idempotent_calls")).length, 1, "control: there was one");
    const revision = (rows: unknown[]) => (rows[0] as { number: number }).number;
    const original = openSqlite<Tables>(copied);
    assert.ok(revision(await rowsOf(restored.db, "revision")) > revision(await rowsOf(original, "revision")));
    await original.close();
  });

  it("goes on with the record where it ended, first with what was restored and how many codes it cost", async () => {
    const { events } = await restored.audit.find({ last: 1_000 });
    const place = events.findIndex(({ action }) => action === "installation.restored");
    const [last, own] = [events[place - 1], events[place]];
    assert.equal(own?.sequence, (last?.sequence ?? 0) + 1);
    const { details } = own ?? assert.fail();
    const { sha256 } = await checkBackup(path);
    // Used before, expired: not live. The three others were.
    assert.deepEqual(details, { file: "test.backup", sha256, madeAt: core.clock.now(), madeBy: "test", voided: 3 });
    assert.equal(restored.voided, 3);
    const sequences = events.map(({ sequence }) => sequence);
    assert.deepEqual(
      sequences,
      [...sequences].sort((a, b) => a - b),
    );
  });

  it("works with a new code at once", async () => {
    const { id } = (await restored.users.findByLoginName("used.later")) ?? assert.fail();
    const { code } = await restored.codes.issue(core.administrator, id, {});
    assert.equal(await restored.verify("used.later", code), true);
  });

  it("needs the root key that the backup was made under", async () => {
    const backup = await checkBackup(path);
    const empty = () => openSqlite<Tables>(":memory:");
    await checkRootKey(empty(), backup, core.rootKey);
    const other = Buffer.alloc(32, 7) as Buffer as RootKey;
    await assert.rejects(checkRootKey(empty(), backup, other), WrongRootKey);
  });
});

describe("a damaged backup", () => {
  let core: TestCore;
  const path = fileIn("whole.backup");
  const damaged = fileIn("damaged.backup");
  let whole: Buffer;
  before(async () => {
    core = await startCore();
    const { id } = await core.createUser("jane");
    await core.issue(id);
    await backUp(core.db, path, core.clock);
    whole = readFileSync(path);
  });
  after(() => core.close());

  const check = async (bytes: Buffer) => {
    writeFileSync(damaged, bytes);
    return checkBackup(damaged);
  };

  it("cut off anywhere is refused", async () => {
    assert.ok(await check(whole), "control: the whole file is taken");
    for (let length = 0; length < whole.length; length += 1 + Math.floor(length / 40)) {
      await assert.rejects(check(whole.subarray(0, length)), DamagedBackup, `cut to ${length} bytes`);
    }
    await assert.rejects(check(whole.subarray(0, -1)), DamagedBackup);
  });

  it("with a flipped bit anywhere is refused, but for the bits of gzip's wrapping that hold nothing", async () => {
    const accepted: number[] = [];
    for (let place = 0; place < whole.length; place += place < 20 || place > whole.length - 20 ? 1 : 13) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(place) ^ (1 << (place % 8)), place);
      await check(bytes).then(
        // Time and system in gzip's header, and what fills up the last byte of its content, say nothing.
        () => gunzipSync(bytes).equals(gunzipSync(whole)) || accepted.push(place),
        (error) => assert.ok(error instanceof DamagedBackup, `byte ${place}: ${error}`),
      );
    }
    assert.deepEqual(accepted, []);
  });

  /** Damage under a compression that is whole, where gzip's own sum cannot help. */
  const lines = () => gunzipSync(whole).toString().trimEnd().split("\n");
  const inside: [string, (all: string[]) => string[]][] = [
    ["a changed value", (all) => all.map((line) => line.replace('"active"', '"revoked"'))],
    ["a missing row", (all) => all.filter((line) => !line.includes('"jane"'))],
    ["a row twice", (all) => all.flatMap((line) => (line.includes('"jane"') ? [line, line] : [line]))],
    ["a missing trailer", (all) => all.slice(0, -1)],
    ["more behind the trailer", (all) => [...all, '["more"]']],
    ["two rows exchanged", (all) => [...all.slice(0, -4), ...all.slice(-4, -1).reverse(), ...all.slice(-1)]],
    ["a table left out", (all) => all.filter((line) => line !== '{"table":"idempotent_calls"}')],
    ["a line that is none", (all) => [...all.slice(0, -1), "{}", ...all.slice(-1)]],
    ["no header", (all) => all.slice(1)],
  ];
  for (const [what, change] of inside) {
    it(`with ${what} is refused`, async () => {
      assert.notDeepEqual(change(lines()), lines(), "control: something was changed");
      await assert.rejects(check(gzipSync(`${change(lines()).join("\n")}\n`)), DamagedBackup);
    });
  }

  it("control: packed again unchanged it is taken", async () => {
    assert.ok(await check(gzipSync(`${lines().join("\n")}\n`)));
  });

  it("that was exchanged between check and restore leaves nothing", async () => {
    const other = fileIn("other.backup");
    await core.createUser("john");
    await backUp(core.db, other, core.clock);
    copyFileSync(path, damaged);
    const db = openSqlite<Tables>(fileIn("exchanged.db"));
    const backup = await checkBackup(damaged);
    copyFileSync(other, damaged);
    const parts = { clock: core.clock, random: systemRandom, fileName: "x", onRows: () => undefined };
    await assert.rejects(restoreBackup(db, backup, parts), DamagedBackup);
    assert.deepEqual(await db.read.introspection.getTables(), []);
    await db.close();
  });

  it("of a newer schema or form is told apart from a damaged one", async () => {
    const with0 = (change: (header: Record<string, unknown>) => void) => {
      const [first = "", ...rest] = lines();
      const header = JSON.parse(first);
      change(header);
      return gzipSync(`${[JSON.stringify(header), ...rest].join("\n")}\n`);
    };
    await assert.rejects(check(with0((header) => Object.assign(header, { version: 2 }))), NewerBackup);
    const newer = with0((header) => (header.migrations as string[]).push("9999-of-tomorrow"));
    await assert.rejects(check(newer), NewerBackup);
  });
});

describe("a backup of the first release's database", () => {
  const fixture = readFixture("0001-first-release");
  const clock = createTestClock(addMs(fixture.madeAt as Instant, 60_000));
  const path = fileIn("first-release.backup");

  it("made by today's version, holds the schema of its time and restores into today's, with every code void", async () => {
    const original = fileIn("first-release.db");
    copyFileSync(fixtureDatabase("0001-first-release"), original);
    const old = openSqlite<Tables>(original);
    const users = await rowsOf(old, "users");
    await backUp(old, path, clock);
    await old.close();
    const backup = await checkBackup(path);
    assert.deepEqual(backup.header.migrations, ["0001-first-release"]);
    assert.ok(!backup.header.tables.some(({ name }) => name === "revision"));

    const rootKey = parseRootKey(fixture.rootKey) as RootKey;
    await checkRootKey(openSqlite<Tables>(":memory:"), backup, rootKey);
    const restored = await restoreFrom(path, rootKey, clock);
    assert.deepEqual(restored.migrated[0], "0002-many-nodes");
    assert.deepEqual(await rowsOf(restored.db, "users"), users);
    for (const [user, code] of Object.entries(fixture.codes)) assert.equal(await restored.verify(user, code), false);
    const { events } = await restored.audit.find({ last: 1_000 });
    assert.ok(events.some(({ action }) => action === "installation.restored"));
    await restored.close();
  });
});
