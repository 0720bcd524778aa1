import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  add,
  appending,
  eventsOf,
  makeNotes,
  type NoteTables,
  openNotes,
  prepending,
  textOf,
} from "../../testing/note-database.ts";
import { connect, query, type TestDatabase } from "../../testing/postgres/databases.ts";
import { type PostgresServer, startPostgres } from "../../testing/postgres/server.ts";
import { Refusal } from "../refusal.ts";
import { type Database, DatabaseUnavailable } from "./database.ts";

const bounded = { timeout: 120_000 };
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const noteIds = numbers(300).map((n) => `note-${String(n).padStart(3, "0")}`);
const [firstNote = "", secondNote = "", thirdNote = ""] = noteIds;

/** How many events each statement wrote. */
async function sharesOf(database: TestDatabase): Promise<number[]> {
  const shares = new Map<string, number>();
  for (const { transaction } of await eventsOf(database)) shares.set(transaction, (shares.get(transaction) ?? 0) + 1);
  return [...shares.values()];
}

describe("batches of guarded writes on PostgreSQL", bounded, () => {
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
    await makeNotes(database, noteIds);
    db = openNotes(database.appUrl);
  });
  afterEach(async () => {
    await db.close();
    await database.drop();
  });

  it("does what waits at the same time in few statements, at most 128 in each, and answers each for itself", async () => {
    const ids = [...noteIds, "no-such-note"];
    const words = await Promise.all(ids.map((id) => add(db, id, `${id};`)));
    assert.deepEqual(words, [...noteIds.map(() => ["done"]), ["none"]]);
    assert.equal(await textOf(database, thirdNote), `${thirdNote};`);
    const shares = await sharesOf(database);
    assert.equal(
      shares.reduce((sum, share) => sum + share, 0),
      ids.length,
    );
    assert.ok(shares.length <= 4 && Math.max(...shares) === 128, `${shares}`);
  });

  it("control: one after the other they take a statement each", async () => {
    for (const id of noteIds.slice(0, 20)) await add(db, id, "x");
    assert.deepEqual(
      await sharesOf(database),
      numbers(20).map(() => 1),
    );
  });

  it("never has two operations on one row share a statement, and does them in their order", async () => {
    const all = numbers(200).map((n) => ({ id: noteIds[n % 5] ?? "", text: `${n},` }));
    await Promise.all(all.map(({ id, text }) => add(db, id, text)));
    const events = await eventsOf(database);
    assert.equal(new Set(events.map((event) => event.note_id + event.transaction)).size, 200);
    for (const id of noteIds.slice(0, 5)) {
      const expected = all.filter((one) => one.id === id).map(({ text }) => text);
      assert.equal(await textOf(database, id), expected.join(""));
    }
  });

  it("keeps the order of two kinds of write on one row", async () => {
    const texts = numbers(40).map((n) => `${n},`);
    await Promise.all(texts.map((text, n) => add(db, firstNote, text, n % 3 === 0 ? prepending : appending)));
    const expected = texts.reduce((sum, text, n) => (n % 3 === 0 ? text + sum : sum + text), "");
    assert.equal(await textOf(database, firstNote), expected);
  });

  it("fails an operation that PostgreSQL cannot store alone, as the client's fault, and does the others once", async () => {
    const texts = numbers(50).map((n) => (n === 17 ? "half \u0000 a text" : `${n},`));
    const results = await Promise.allSettled(texts.map((text, n) => add(db, noteIds[n] ?? "", text)));
    for (const [n, result] of results.entries()) {
      if (n !== 17) assert.deepEqual(result, { status: "fulfilled", value: ["done"] });
      else assert.ok(result.status === "rejected" && result.reason instanceof Refusal, "the one at fault");
      assert.equal(await textOf(database, noteIds[n] ?? ""), n === 17 ? "" : texts[n]);
    }
    assert.equal((await eventsOf(database)).length, 49);
  });

  it("fails an operation whose making throws alone, as the bug it is", async () => {
    const failing = db.apply(appending, firstNote, () => {
      throw new TypeError("a bug");
    });
    const results = await Promise.allSettled([add(db, secondNote, "a"), failing, add(db, thirdNote, "b")]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    await assert.rejects(failing, /a bug/);
    assert.deepEqual((await eventsOf(database)).map(({ text }) => text).sort(), ["a", "b"]);
  });

  it("refuses what is more than ten thousand waiting operations, and still does those or says that they waited too long", async () => {
    const waiting = numbers(10_000).map((n) => add(db, noteIds[n % noteIds.length] ?? "", "x"));
    const settled = Promise.allSettled(waiting);
    await assert.rejects(add(db, firstNote, "too many"), DatabaseUnavailable);
    const results = await settled;
    const done = results.filter(({ status }) => status === "fulfilled").length;
    for (const result of results)
      if (result.status === "rejected") assert.ok(result.reason instanceof DatabaseUnavailable);
    const events = await eventsOf(database);
    assert.equal(events.length, done);
    assert.ok(events.every(({ text }) => text === "x"));
    assert.deepEqual(await add(db, firstNote, "later"), ["done"]);
  });

  it("finishes what waits when it is closed, and takes nothing more", async () => {
    const waiting = noteIds.map((id) => add(db, id, "x"));
    const closed = db.close();
    await assert.rejects(add(db, firstNote, "late"), DatabaseUnavailable);
    await closed;
    assert.deepEqual([...new Set((await Promise.all(waiting)).flat())], ["done"]);
    db = openNotes(database.appUrl);
  });

  describe("while somebody else holds a row", () => {
    let holder: Awaited<ReturnType<typeof connect>>;
    beforeEach(async () => {
      holder = await connect(database.ownerUrl);
      await holder.query("BEGIN");
      await holder.query("SELECT * FROM note WHERE id = $1 FOR UPDATE", [firstNote]);
    });
    afterEach(() => holder.end());

    it("does operations on other rows, whatever waits for that one", async () => {
      const held = [add(db, firstNote, "1,"), add(db, firstNote, "2,")];
      await delay(100);
      for (const id of noteIds.slice(1, 6)) assert.deepEqual(await add(db, id, "x"), ["done"]);
      assert.equal(await textOf(database, firstNote), "");
      await holder.query("COMMIT");
      assert.deepEqual(await Promise.all(held), [["done"], ["done"]]);
      assert.equal(await textOf(database, firstNote), "1,2,");
    });

    it("begins no operation whose client was told to come back meanwhile", async () => {
      const impatient = openNotes(database.appUrl, { patienceMs: 300 });
      const first = assert.rejects(add(impatient, firstNote, "first"), DatabaseUnavailable);
      await delay(50);
      const second = assert.rejects(add(impatient, firstNote, "second"), /too slow/);
      await Promise.all([first, second]);
      await holder.query("COMMIT");
      await delay(100);
      assert.equal(await textOf(database, firstNote), "");
      await impatient.close();
    });

    it("gives a statement up that waits for longer than any may, keeps nothing of it, and goes on", async () => {
      await assert.rejects(add(db, firstNote, "never"), DatabaseUnavailable);
      await holder.query("COMMIT");
      assert.deepEqual(await add(db, firstNote, "now"), ["done"]);
      assert.equal(await textOf(database, firstNote), "now");
      assert.deepEqual(
        (await eventsOf(database)).map(({ text }) => text),
        ["now"],
      );
    });
  });

  describe("of two nodes over the same rows in opposite order", () => {
    const deadlocks = async () => {
      const sql = "SELECT deadlocks::int AS count FROM pg_stat_database WHERE datname = current_database()";
      return (await query<{ count: number }>(database.ownerUrl, sql))[0]?.count;
    };

    it("never block each other for good", async () => {
      const other = openNotes(database.appUrl);
      const ids = noteIds.slice(0, 60);
      const backwards = ids.toReversed();
      for (const round of numbers(30)) {
        const all = [
          ...ids.map((id) => add(db, id, `${round}a`)),
          ...backwards.map((id) => add(other, id, `${round}b`)),
        ];
        for (const words of await Promise.all(all)) assert.deepEqual(words, ["done"]);
      }
      await other.close();
      const [row] = await query<{ sum: string }>(database.ownerUrl, "SELECT sum(changes) FROM note");
      assert.equal(Number(row?.sum), 30 * 120);
      assert.equal(await deadlocks(), 0);
    });

    it("control: updates of two rows in opposite order do", async () => {
      const [one, other] = [await connect(database.ownerUrl), await connect(database.ownerUrl)];
      const update = "UPDATE note SET text = 'x' WHERE id = $1";
      for (const client of [one, other]) await client.query("BEGIN");
      await one.query(update, [firstNote]);
      await other.query(update, [secondNote]);
      const results = await Promise.allSettled([one.query(update, [secondNote]), other.query(update, [firstNote])]);
      const [failed] = results.filter((result) => result.status === "rejected");
      assert.equal(failed?.reason.code, "40P01");
      await Promise.all([one.end(), other.end()]);
    });
  });
});
