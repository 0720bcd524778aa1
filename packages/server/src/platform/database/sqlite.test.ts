import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import { type Database, DatabaseUnavailable } from "./database.ts";
import { LogFlush } from "./log-flush.ts";
import { openSqlite } from "./sqlite.ts";

interface Tables {
  parent: { id: string };
  child: { parent_id: string };
}

describe("the embedded database", () => {
  let directory: string;
  let path: string;
  let db: Database<Tables>;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "sparekey-sqlite-"));
    path = join(directory, "test.db");
    db = openSqlite<Tables>(path);
    await db.write(async (trx) => {
      await sql`CREATE TABLE parent (id TEXT PRIMARY KEY)`.execute(trx);
      await sql`CREATE TABLE child (parent_id TEXT NOT NULL REFERENCES parent (id))`.execute(trx);
    });
  });
  afterEach(async () => {
    await db.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function pragma(connection: Kysely<Tables>, name: string): Promise<unknown> {
    const { rows } = await sql<Record<string, unknown>>`PRAGMA ${sql.raw(name)}`.execute(connection);
    return Object.values(rows[0] ?? {})[0];
  }
  const parents = async () => (await db.read.selectFrom("parent").select("id").execute()).map(({ id }) => id);
  const insertParent = (id: string) => db.write((trx) => trx.insertInto("parent").values({ id }).execute());

  it("writes ahead, leaves the flush of the log to us and keeps foreign keys, on the very connection that writes", async () => {
    await db.write(async (trx) => {
      assert.equal(await pragma(trx, "journal_mode"), "wal");
      assert.equal(await pragma(trx, "synchronous"), 1);
      assert.equal(await pragma(trx, "foreign_keys"), 1);
    });
  });

  it("flushes the log after each commit and before its acknowledgement", async () => {
    const flushed = mock.method(LogFlush.prototype, "flush");
    await insertParent("flushed");
    assert.equal(flushed.mock.callCount(), 1);
    assert.equal(await flushed.mock.calls[0]?.result, undefined);
    flushed.mock.restore();
  });

  it("reads within one turn from one state, and after an acknowledged write from the new one", async () => {
    const before = parents();
    await insertParent("after.before");
    assert.equal((await before).includes("after.before"), false);
    assert.equal((await parents()).includes("after.before"), true);
  });

  it("writes its log back although it is read from in every turn", async () => {
    const size = () => statSync(`${path}-wal`).size;
    for (let i = 0; i < 400; i++) {
      await Promise.all([insertParent(`${i} ${"x".repeat(200_000)}`), parents()]);
      if (i % 20 === 0) await db.write((trx) => trx.deleteFrom("parent").execute());
    }
    assert.ok(size() < 40 * 1_024 * 1_024, `the log has grown to ${size()} bytes`);
  });

  it("refuses a row that points at nothing", async () => {
    await assert.rejects(
      db.write((trx) => trx.insertInto("child").values({ parent_id: "nobody" }).execute()),
      DatabaseUnavailable,
    );
  });

  it("cannot write through the connection that reads", async () => {
    await assert.rejects(db.read.insertInto("parent").values({ id: "p" }).execute(), DatabaseUnavailable);
    assert.deepEqual(await parents(), []);
  });

  it("reads only what is committed", async () => {
    await db.write(async (trx) => {
      await trx.insertInto("parent").values({ id: "p" }).execute();
      assert.deepEqual(await parents(), []);
    });
    assert.deepEqual(await parents(), ["p"]);
  });

  it("shows a snapshot one state, however long it is looked at, while writers go on", async () => {
    await insertParent("before");
    await db.snapshot(async (snapshot) => {
      await insertParent("during");
      await delay(1);
      assert.deepEqual(await snapshot.selectFrom("parent").select("id").execute(), [{ __proto__: null, id: "before" }]);
      assert.deepEqual(await parents(), ["before", "during"], "control: any other connection sees it");
      await assert.rejects(snapshot.insertInto("parent").values({ id: "p" }).execute(), DatabaseUnavailable);
    });
    await db.snapshot(async (snapshot) => {
      assert.equal((await snapshot.selectFrom("parent").select("id").execute()).length, 2);
    });
  });

  it("answers 503's error while another process holds the database, and recovers by itself", async () => {
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    await db.migrate((connection) => sql`PRAGMA busy_timeout = 1`.execute(connection));
    await assert.rejects(insertParent("p"), DatabaseUnavailable);
    assert.deepEqual(await parents(), []);
    other.exec("COMMIT");
    other.close();
    await insertParent("p");
    assert.deepEqual(await parents(), ["p"]);
  });

  it("shows a file that is no database, or that cannot be made, as a database that is not available", () => {
    const garbage = join(directory, "garbage.db");
    writeFileSync(garbage, "no database at all, but longer than the header of one".repeat(100));
    assert.throws(() => openSqlite(garbage), DatabaseUnavailable);
    assert.throws(() => openSqlite(join(directory, "missing", "test.db")), DatabaseUnavailable);
  });

  it("prepares each statement once, and again after the schema has changed", async () => {
    await insertParent("p");
    await db.migrate((connection) => sql`ALTER TABLE parent ADD COLUMN note TEXT`.execute(connection));
    await insertParent("q");
    const rows = await db.read.selectFrom("parent").selectAll().execute();
    assert.deepEqual(
      rows,
      [
        { id: "p", note: null },
        { id: "q", note: null },
      ].map((row) => Object.assign(Object.create(null), row)),
    );
  });
});
