import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import { AuditService } from "../audit/service.ts";
import type { Database } from "../platform/database/database.ts";
import { openSqlite } from "../platform/database/sqlite.ts";
import { createLog } from "../platform/log.ts";
import { systemRandom } from "../platform/random.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Tables } from "../schema/tables.ts";
import { startCore, type TestCore } from "../testing/core.ts";
import { openServices } from "../testing/restored.ts";
import {
  acceptRollback,
  currentMark,
  findRollback,
  type RecordMark,
  RollbackWatch,
  readMark,
  UnreadableMark,
  voidEveryCode,
  writeMark,
} from "./service.ts";

const directory = mkdtempSync(join(tmpdir(), "sparekey-rollback-"));
after(() => rmSync(directory, { recursive: true }));

describe("a database that went back", () => {
  let core: TestCore;
  let companyId: string;
  let copies = 0;
  before(async () => {
    core = await startCore();
    companyId = core.company.id;
  });
  after(() => core.close());

  const copyOf = async ({ migrate }: Database<Tables>) => {
    const path = join(directory, `copy${++copies}.db`);
    await migrate((connection) => sql`VACUUM INTO ${path}`.execute(connection));
    return path;
  };
  const markOf = async ({ read }: Database<Tables>) => (await currentMark(read, companyId)) ?? assert.fail();

  it("ends before the mark, or has another record in its place, however much was written since", async () => {
    const earlier = openSqlite<Tables>(await copyOf(core.db));
    const { id } = await core.createUser("later");
    await core.issue(id);
    const mark = await markOf(core.db);
    assert.equal(await findRollback(core.db.read, companyId, mark), undefined, "control: it did not go back");
    assert.equal((await findRollback(earlier.read, companyId, mark))?.kind, "behind");

    const forked = await openServices(earlier, core.rootKey, core.clock);
    while ((await markOf(earlier)).sequence < mark.sequence + 3) await forked.verify("later", "00000000000");
    assert.equal((await findRollback(earlier.read, companyId, mark))?.kind, "forked");
    await earlier.close();
  });

  it("is told from another company's, and from one that only went on", async () => {
    const mark = await markOf(core.db);
    const other = { ...mark, company: "another" };
    assert.equal((await findRollback(core.db.read, companyId, other))?.kind, "other_company");
    await core.verify("nobody", "00000000000");
    assert.equal(await findRollback(core.db.read, companyId, mark), undefined);
  });

  it("is accepted by voiding: a code used since does not work, nor any other, and the record says what was lost", async () => {
    const [used, unused] = [await core.createUser("used"), await core.createUser("unused")];
    const codes = { used: await core.issue(used.id, { oneTime: true }), unused: await core.issue(unused.id) };
    const earlier = openSqlite<Tables>(await copyOf(core.db));
    const control = openSqlite<Tables>(await copyOf(core.db));
    assert.equal(await core.verify("used", codes.used), true);
    const mark = await markOf(core.db);

    const { verify: unguarded } = await openServices(control, core.rootKey, core.clock);
    assert.equal(await unguarded("used", codes.used), true, "control: it came back to life");
    await control.close();

    const rollback = (await findRollback(earlier.read, companyId, mark)) ?? assert.fail();
    const found = await markOf(earlier);
    const services = await openServices(earlier, core.rootKey, core.clock);
    const parts = { db: earlier, companyId, clock: core.clock, audit: services.audit };
    const live = await earlier.read
      .selectFrom("emergency_access")
      .select("user_id")
      .where("status", "=", "active")
      .execute();
    assert.equal(await acceptRollback(parts, rollback), live.length);
    for (const user of ["used", "unused"] as const) assert.equal(await services.verify(user, codes[user]), false);
    const { events } = await services.audit.find({ action: "installation.rolled_back" });
    assert.deepEqual(events[0]?.details, {
      ...{ kind: "behind", voided: live.length },
      ...{ lostSequence: mark.sequence, lostId: mark.id, lostCompany: companyId },
      ...{ foundSequence: found.sequence, foundId: found.id },
    });
    await earlier.close();
  });

  it("all codes end at once for a run-book: one record with the count, whoever has one", async () => {
    const users = await Promise.all(Array.from({ length: 30 }, (_, n) => core.createUser(`all${n}`)));
    const issued = await Promise.all(users.map(({ id }) => core.issue(id)));
    const before = await core.db.read
      .selectFrom("emergency_access")
      .select("user_id")
      .where("status", "=", "active")
      .execute();
    const { db, clock } = core;
    const audit = new AuditService({ db, companyId, clock, random: systemRandom });
    const sequence = (await markOf(db)).sequence;
    assert.equal(await voidEveryCode({ db, companyId, clock, audit }, "drill"), before.length);
    const { events } = await core.audit.find({ after: sequence });
    assert.deepEqual(
      events.map(({ action, reason, details }) => ({ action, reason, details })),
      [{ action: "emergency_code.revoked_all", reason: "drill", details: { voided: before.length } }],
    );
    for (const [n, code] of issued.entries()) assert.equal(await core.verify(`all${n}`, code), false);
    const { id } = users[0] ?? assert.fail();
    assert.equal(await core.verify("all0", await core.issue(id)), true, "a new one works");
    assert.equal(await voidEveryCode({ db, companyId, clock, audit }, undefined), 1);
  });
});

describe("the record mark's file", () => {
  const path = join(directory, "record.mark");
  const mark: RecordMark = { company: "c", sequence: 7, id: "i" };

  it("is for its owner alone and says what was written last", async () => {
    await writeMark(path, { ...mark, sequence: 6 });
    await writeMark(path, mark);
    assert.deepEqual(readMark(path), mark);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it("that is missing is no mark, but one that is torn or garbled is an error", () => {
    const text = readFileSync(path, "utf8");
    for (let length = 0; length < text.length - 1; length++) {
      writeFileSync(path, text.slice(0, length));
      assert.throws(() => readMark(path), UnreadableMark, `cut to ${length}`);
    }
    for (const garbled of ["null", "7", '{"company":"c","sequence":"7","id":"i"}', '{"company":"c","id":"i"}']) {
      writeFileSync(path, garbled);
      assert.throws(() => readMark(path), UnreadableMark, garbled);
    }
    rmSync(path);
    assert.equal(readMark(path), undefined);
  });
});

describe("the watch on a running server", () => {
  let core: TestCore;
  let watch: RollbackWatch;
  let nowMs: number;
  let markPath: string;
  let databasePath: string;
  beforeEach(async () => {
    core = await startCore();
    nowMs = 0;
    markPath = join(core.dataDir, "record.mark");
    databasePath = join(core.dataDir, "sparekey.db");
    const clock = { ...core.clock, monotonicMs: () => nowMs };
    const parts = { db: core.db, companyId: core.company.id, clock, log: createLog("silent"), mark: undefined };
    watch = new RollbackWatch({ ...parts, markPath });
  });
  afterEach(() => core.close());

  const _refused = (error: unknown) => error instanceof Refusal && error.code === "unavailable";
  const putInPlace = async (copy: string) => {
    for (const end of ["-wal", "-shm"]) rmSync(`${databasePath}${end}`, { force: true });
    renameSync(copy, databasePath);
  };
  const copy = async () => {
    const path = join(core.dataDir, "copy.db");
    await core.db.migrate((connection) => sql`VACUUM INTO ${path}`.execute(connection));
    return path;
  };

  it("moves the mark on to the newest record that is committed", async () => {
    await watch.look();
    assert.deepEqual(readMark(markPath), await currentMark(core.db.read, core.company.id));
    await core.verify("nobody", "00000000000");
    const newest = await currentMark(core.db.read, core.company.id);
    assert.notDeepEqual(readMark(markPath), newest);
    await watch.look();
    assert.deepEqual(readMark(markPath), newest);
    assert.equal(watch.problem(), undefined);
  });

  it("moves the mark on only once what it names is on disk, and not at all where that fails", async () => {
    let flush: (error?: Error) => void = () => undefined;
    const write = (() =>
      new Promise<void>((resolve, reject) => {
        flush = (error) => (error === undefined ? resolve() : reject(error));
      })) as Database<Tables>["write"];
    const parts = {
      companyId: core.company.id,
      clock: core.clock,
      log: createLog("silent"),
      mark: undefined,
      markPath,
    };
    const waiting = new RollbackWatch({ ...parts, db: { ...core.db, write } });
    for (const error of [new Error("the disk is gone"), undefined]) {
      const looked = waiting.look();
      await delay(20);
      assert.equal(readMark(markPath), undefined);
      flush(error);
      await (error === undefined ? looked : assert.rejects(looked, error));
    }
    assert.deepEqual(readMark(markPath), await currentMark(core.db.read, core.company.id));
  });

  it("refuses from the first look at a file that was put in the database's place, and leaves the mark", async () => {
    const earlier = await copy();
    await core.verify("nobody", "00000000000");
    await watch.look();
    const mark = readMark(markPath);
    await putInPlace(earlier);
    await watch.look();
    assert.notEqual(watch.problem(), undefined);
    await watch.look();
    assert.deepEqual(readMark(markPath), mark);
  });

  it("refuses also when the file in place holds the mark, once the server has written into the file that is gone", async () => {
    await watch.look();
    await putInPlace(await copy());
    await watch.look();
    assert.equal(watch.problem(), undefined);
    await core.verify("nobody", "00000000000");
    await watch.look();
    assert.notEqual(watch.problem(), undefined);
  });

  it("refuses while the database cannot be looked at for five seconds, and recovers by itself", async () => {
    await watch.look();
    renameSync(databasePath, `${databasePath}.away`);
    nowMs = 4_000;
    await assert.rejects(watch.look());
    assert.equal(watch.problem(), undefined);
    nowMs = 6_000;
    assert.notEqual(watch.problem(), undefined);
    renameSync(`${databasePath}.away`, databasePath);
    await watch.look();
    assert.equal(watch.problem(), undefined);
  });
});
