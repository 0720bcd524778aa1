import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";
import { sql } from "kysely";
import { add, makeNotes, type NoteTables, openNotes, textOf } from "../../testing/note-database.ts";
import { query, type TestDatabase } from "../../testing/postgres/databases.ts";
import { type PostgresServer, startPostgres } from "../../testing/postgres/server.ts";
import { type Database, DatabaseUnavailable } from "./database.ts";

const bounded = { timeout: 120_000 };
const appName = "application_name = 'sparekey' AND datname = current_database()";

describe("connections to PostgreSQL", bounded, () => {
  // Of its own: a transaction that stays open is waited for in other databases of its server, too.
  let server: PostgresServer;
  let database: TestDatabase;
  let db: Database<NoteTables>;

  before(async () => {
    server = await startPostgres();
  });
  after(() => server?.stop());
  beforeEach(async () => {
    database = await server.createDatabase();
    await makeNotes(database, ["a", "b", "c"]);
    db = openNotes(database.appUrl);
  });
  afterEach(async () => {
    await db.close();
    await database.drop();
  });

  const asOwner = (text: string) => query(database.ownerUrl, text);
  const asSuperuser = <Row extends object>(text: string) =>
    query<Row & Record<string, unknown>>(database.superuserUrl, text);
  const insertEvent = (id: string) =>
    db.write((trx) => trx.insertInto("event").values({ id, note_id: "a", text: id }).execute());
  const eventIds = async () =>
    (await db.read.selectFrom("event").select("id").orderBy("place").execute()).map(({ id }) => id);
  const setting = async (name: string) => {
    const { rows } = await sql<Record<string, string>>`SELECT current_setting(${name}) AS value`.execute(db.read);
    return rows[0]?.value;
  };

  it("wait for the disk, look at what is committed and end what takes too long, whatever the role's defaults are", async () => {
    const [{ role = "" } = {}] = await query<{ role: string }>(database.appUrl, "SELECT current_user AS role");
    await asSuperuser(`ALTER ROLE ${role} SET synchronous_commit = off;
      ALTER ROLE ${role} SET default_transaction_isolation = 'serializable'; ALTER ROLE ${role} SET statement_timeout = 0`);
    assert.equal(await setting("synchronous_commit"), "on");
    assert.equal(await setting("transaction_isolation"), "read committed");
    assert.equal(await setting("statement_timeout"), "5s");
    assert.equal(await setting("idle_in_transaction_session_timeout"), "10s");
  });

  it("tell of a row that is refused that it was, and nothing of what was in it", async () => {
    await asOwner("ALTER TABLE event ADD CONSTRAINT fault CHECK (text <> 'sentinel-text')");
    const tell = (error: unknown) => inspect(error, { depth: 10, showHidden: true });
    const control = await asOwner("INSERT INTO event (id, note_id, text) VALUES ('x', 'a', 'sentinel-text')").catch(
      tell,
    );
    assert.match(String(control), /sentinel-text/);
    for (const attempt of [insertEvent("sentinel-text"), add(db, "a", "sentinel-text")]) {
      const told = await attempt.then(() => assert.fail("it was written"), tell);
      assert.match(told, /fault/);
      assert.doesNotMatch(told, /sentinel-text/);
    }
  });

  it("answer counts as numbers, and their own time", async () => {
    const { rows } = await sql<{ count: unknown }>`SELECT count(*) AS count, 2::int8 AS eight FROM note`.execute(
      db.read,
    );
    assert.deepEqual(rows, [{ count: 3, eight: 2 }]);
    await insertEvent("x");
    assert.deepEqual(await db.read.selectFrom("event").select("place").execute(), [{ place: 1 }]);
    const [{ ms = 0 } = {}] = await query<{ ms: number }>(
      database.appUrl,
      "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms",
    );
    assert.ok(Math.abs((await db.timeMs()) - ms) < 60_000);
  });

  it("prepare each statement once, under a name of its own", async () => {
    for (let n = 0; n < 5; n++) {
      await db.read.selectFrom("note").select("id").where("id", "=", `${n}`).execute();
      await db.read.selectFrom("note").select("text").where("id", "=", `${n}`).execute();
    }
    const { rows } = await sql<{
      name: string;
    }>`SELECT name, statement FROM pg_prepared_statements ORDER BY name`.execute(db.read);
    assert.deepEqual(
      rows.map(({ name }) => name),
      ["s0", "s1", "s2"],
    );
  });

  it("are opened again after they were ended while nobody used them", async () => {
    await Promise.all([insertEvent("1"), insertEvent("2"), add(db, "a", "1")]);
    const [ended] = await asSuperuser<{ count: string }>(
      `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE ${appName}`,
    );
    assert.ok(Number(ended?.count) >= 3);
    await delay(200);
    await insertEvent("3");
    assert.deepEqual(await add(db, "a", "2"), ["done"]);
    assert.equal(await textOf(database, "a"), "12");
  });

  it("are left after their statement was ended together with them, and nothing of it is kept", async () => {
    const unit = db.write(async (trx) => {
      await trx.insertInto("event").values({ id: "ended", note_id: "a", text: "" }).execute();
      await sql`SELECT pg_terminate_backend(pg_backend_pid())`.execute(trx);
    });
    await assert.rejects(unit, DatabaseUnavailable);
    await insertEvent("next");
    assert.deepEqual(await eventIds(), ["next"]);
  });

  it("are left when a statement was cancelled or took too long, and nothing of it is kept", async () => {
    const unit = db.write(async (trx) => {
      await trx.insertInto("event").values({ id: "slow", note_id: "a", text: "" }).execute();
      await sql`SELECT pg_sleep(60)`.execute(trx);
    });
    await assert.rejects(unit, DatabaseUnavailable);
    assert.deepEqual(await eventIds(), []);
  });

  it("keep nothing of a unit that throws, and the unit's error is what is thrown", async () => {
    const unit = db.write(async (trx) => {
      await trx.insertInto("event").values({ id: "thrown", note_id: "a", text: "" }).execute();
      throw new RangeError("changed its mind");
    });
    await assert.rejects(unit, RangeError);
    assert.deepEqual(await eventIds(), []);
  });

  it("do not take a commit that rolled back for a success", async () => {
    const unit = db.write(async (trx) => {
      await trx.insertInto("event").values({ id: "failed", note_id: "a", text: "" }).execute();
      // The unit goes on after an error, as none should.
      await sql`SELECT 1 / 0`.execute(trx).catch(() => undefined);
    });
    await assert.rejects(unit, DatabaseUnavailable);
    assert.deepEqual(await eventIds(), []);
  });

  it("run a unit again that the database rolled back for the sake of another, and not for ever", async () => {
    for (const { failures, code } of [
      { failures: 2, code: "40P01" },
      { failures: 2, code: "40001" },
      { failures: 9, code: "40001" },
    ]) {
      let runs = 0;
      const unit = db.write(async (trx) => {
        runs += 1;
        await trx
          .insertInto("event")
          .values({ id: `${code} ${failures}`, note_id: "a", text: "" })
          .execute();
        if (runs <= failures) await sql.raw(`DO $$ BEGIN RAISE EXCEPTION SQLSTATE '${code}'; END $$`).execute(trx);
      });
      if (failures < 3) await unit;
      else await assert.rejects(unit, DatabaseUnavailable);
      assert.equal(runs, 3);
    }
    assert.deepEqual(await eventIds(), ["40P01 2", "40001 2"]);
  });

  it("say so when they are all in use for too long, and recover by themselves", async () => {
    const units = await Promise.all(Array.from({ length: 4 }, startUnit));
    const refused = await insertEvent("waits").catch((error: unknown) => error);
    for (const unit of units) await unit.end();
    assert.ok(refused instanceof DatabaseUnavailable);
    await insertEvent("later");
    assert.deepEqual(await eventIds(), ["later"]);
  });

  it("prepare a statement again after the tables have changed under it", async () => {
    const all = (trx = db.read) => trx.selectFrom("note").selectAll().where("id", "=", "a").execute();
    await all();
    await add(db, "a", "1");
    await asOwner("ALTER TABLE note ADD COLUMN colour TEXT NOT NULL DEFAULT 'none'");
    assert.deepEqual(await all(), [{ id: "a", text: "1", changes: 1, colour: "none" }]);
    assert.deepEqual(await add(db, "a", "2"), ["done"]);

    await asOwner("ALTER TABLE note DROP COLUMN colour");
    // In a unit it is too late for that one, and the next one is well.
    await assert.rejects(db.write(all), DatabaseUnavailable);
    assert.deepEqual(await db.write(all), [{ id: "a", text: "12", changes: 2 }]);
  });

  it("say that nothing can be written when rows that tell of it cannot, and recover by themselves", async () => {
    const broken: [string, string][] = [
      ["REVOKE INSERT ON event FROM PUBLIC", "GRANT INSERT ON event TO PUBLIC"],
      ["ALTER TABLE event RENAME TO hidden", "ALTER TABLE hidden RENAME TO event"],
      ["ALTER TABLE event ADD CONSTRAINT no CHECK (text <> 'x') NOT VALID", "ALTER TABLE event DROP CONSTRAINT no"],
    ];
    for (const [breakIt, mendIt] of broken) {
      await asOwner(breakIt);
      const results = await Promise.allSettled(["a", "b", "c"].map((id) => add(db, id, "x")));
      for (const result of results)
        assert.ok(result.status === "rejected" && result.reason instanceof DatabaseUnavailable, breakIt);
      await asOwner(mendIt);
      for (const id of ["a", "b", "c"]) assert.equal(await textOf(database, id), "");
    }
    assert.deepEqual(await add(db, "a", "x"), ["done"]);
  });

  /** A unit of work that has begun, and goes on until it is told to end. */
  async function startUnit() {
    const begun = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    const done = db.write(() => {
      begun.resolve();
      return over.promise;
    });
    await Promise.race([begun.promise, done]);
    return {
      end: () => {
        over.resolve();
        return done;
      },
    };
  }

  it("wait for writes that have begun, and for none that begins later", async () => {
    const early = await startUnit();
    let isSettled = false;
    const settled = db.settled().then(() => {
      isSettled = true;
    });
    await delay(300);
    assert.equal(isSettled, false);
    const late = await startUnit();
    await early.end();
    await settled;
    await late.end();
  });

  it("give up on a write that is under way for too long", async () => {
    const slow = await startUnit();
    const settled = await db.settled().catch((error: unknown) => error);
    await slow.end();
    assert.ok(settled instanceof DatabaseUnavailable);
    await db.settled();
  });

  it("that cannot be made say so, and not with what the password was", async () => {
    const { password } = new URL(database.appUrl);
    for (const change of [{ port: "1" }, { password: "not-the-password" }, { pathname: "/nowhere" }]) {
      const url = new URL(database.appUrl);
      Object.assign(url, change);
      const broken = openNotes(url.href);
      const attempts = [() => broken.timeMs(), () => add(broken, "a", "x"), () => broken.write(async () => "x")];
      for (const attempt of attempts) {
        await assert.rejects(attempt, (error: Error) => {
          assert.ok(error instanceof DatabaseUnavailable, String(error));
          const told = `${error.stack} ${JSON.stringify(error.cause)} ${(error.cause as Error).stack}`;
          assert.ok(!told.includes(password) && !told.includes("not-the-password"), told);
          return true;
        });
      }
      await broken.close();
    }
  });
});
