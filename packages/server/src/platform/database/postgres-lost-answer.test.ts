/** What became of a write whose acknowledgement was lost is found out; where it cannot be, nobody guesses. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { add, eventsOf, makeNotes, type NoteTables, openNotes, textOf } from "../../testing/note-database.ts";
import type { TestDatabase } from "../../testing/postgres/databases.ts";
import { testPostgres } from "../../testing/postgres/shared.ts";
import { startTcpProxy, type TcpProxy, type Verdict } from "../../testing/tcp-proxy.ts";
import { type Database, DatabaseUnavailable } from "./database.ts";

const bounded = { timeout: 120_000 };
const noteIds = Array.from({ length: 20 }, (_, n) => `note-${n}`);

describe("a write to PostgreSQL whose answer is lost", bounded, () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let db: Database<NoteTables>;

  beforeEach(async () => {
    const server = await testPostgres();
    database = await server.createDatabase();
    await makeNotes(database, noteIds);
    proxy = await startTcpProxy(Number(new URL(server.superuserUrl).port));
    db = openNotes(proxy.through(database.appUrl));
    // Connections and prepared statements are there, as in a server that has run for a while.
    await add(db, "note-0", "");
    await insertEvent("before");
  });
  afterEach(async () => {
    proxy.onClientData = () => "forward";
    await db.close();
    await proxy.close();
    await database.drop();
  });

  /** Does this to the first message that holds the text, and answers how often it was done. */
  function once(text: string, verdict: Verdict): () => number {
    let count = 0;
    proxy.onClientData = (chunk) => {
      if (count > 0 || !chunk.includes(text)) return "forward";
      count += 1;
      return verdict;
    };
    return () => count;
  }

  const insertEvent = (text: string) =>
    db.write((trx) => trx.insertInto("event").values({ id: text, note_id: "note-0", text }).execute());
  const eventTexts = async () => (await eventsOf(database)).map(({ text }) => text);

  it("is acknowledged when it was kept: a batch, with what became of each of its operations", async () => {
    const cuts = once("lost", "forward-then-cut");
    const ids = [...noteIds, "no-such-note"];
    const words = await Promise.all(ids.map((id) => add(db, id, "lost")));
    assert.equal(cuts(), 1);
    assert.deepEqual(words, [...noteIds.map(() => ["done"]), ["none"]]);
    for (const id of noteIds) assert.equal(await textOf(database, id), "lost");
    assert.equal((await eventsOf(database)).filter(({ text }) => text === "lost").length, noteIds.length);
  });

  it("is acknowledged when it was kept: a unit of work", async () => {
    const cuts = once("COMMIT", "forward-then-cut");
    await insertEvent("lost");
    assert.equal(cuts(), 1);
    assert.ok((await eventTexts()).includes("lost"));
  });

  it("is acknowledged when it was kept: as many units of work at once as there are connections", async () => {
    const commits = new Set<number>();
    proxy.onClientData = (chunk) => {
      if (!chunk.includes("COMMIT") || commits.size >= 8) return "forward";
      commits.add(commits.size);
      return "forward-then-cut";
    };
    const texts = Array.from({ length: 8 }, (_, n) => `lost ${n}`);
    await Promise.all(texts.map(insertEvent));
    assert.equal(commits.size, 8);
    const there = await eventTexts();
    assert.deepEqual(
      texts.filter((text) => !there.includes(text)),
      [],
    );
  });

  it("fails when it never arrived, and nothing of it is there: a batch", async () => {
    const cuts = once("lost", "cut");
    const results = await Promise.allSettled(noteIds.map((id) => add(db, id, "lost")));
    assert.equal(cuts(), 1);
    for (const result of results)
      assert.ok(result.status === "rejected" && result.reason instanceof DatabaseUnavailable);
    assert.ok(!(await eventTexts()).includes("lost"));
    assert.deepEqual(await add(db, "note-1", "again"), ["done"]);
    assert.equal(await textOf(database, "note-1"), "again");
  });

  it("fails when it never arrived, and nothing of it is there: a unit of work", async () => {
    const cuts = once("COMMIT", "cut");
    await assert.rejects(insertEvent("lost"), DatabaseUnavailable);
    assert.equal(cuts(), 1);
    assert.ok(!(await eventTexts()).includes("lost"));
    await insertEvent("again");
    assert.ok((await eventTexts()).includes("again"));
  });

  it("fails when a statement in the middle of it is lost, and nothing of it is there", async () => {
    for (const verdict of ["cut", "forward-then-cut"] as const) {
      const cuts = once("second", verdict);
      const unit = db.write(async (trx) => {
        for (const text of ["first", "second"]) {
          await trx.insertInto("event").values({ id: text, note_id: "note-0", text }).execute();
        }
      });
      await assert.rejects(unit, DatabaseUnavailable);
      assert.equal(cuts(), 1);
      assert.ok(!(await eventTexts()).includes("first"));
    }
  });

  it("fails when its beginning is lost, and is not begun", async () => {
    for (const verdict of ["cut", "forward-then-cut"] as const) {
      const cuts = once("BEGIN", verdict);
      await assert.rejects(insertEvent(`lost by ${verdict}`), DatabaseUnavailable);
      assert.equal(cuts(), 1);
      assert.ok(!(await eventTexts()).includes(`lost by ${verdict}`));
    }
  });

  it("fails when nobody can say what became of it, though it was kept", async () => {
    for (const lose of [() => add(db, "note-1", "lost"), () => insertEvent("lost by a unit")]) {
      let isLost = false;
      proxy.onClientData = (chunk) => {
        if (isLost) return "cut";
        isLost = chunk.includes("lost by a unit") ? false : chunk.includes("lost") || chunk.includes("COMMIT");
        return isLost ? "forward-then-cut" : "forward";
      };
      await assert.rejects(lose, DatabaseUnavailable);
      assert.ok(isLost);
    }
    const texts = await eventTexts();
    assert.ok(texts.includes("lost") && texts.includes("lost by a unit"));
  });

  it("control: without asking, an answer that was lost says nothing of what was kept", async () => {
    once("lost", "forward-then-cut");
    await assert.rejects(db.read.insertInto("event").values({ id: "x", note_id: "y", text: "lost" }).execute());
    assert.ok((await eventTexts()).includes("lost"));
    once("never", "cut");
    await assert.rejects(db.read.insertInto("event").values({ id: "z", note_id: "y", text: "never" }).execute());
    assert.ok(!(await eventTexts()).includes("never"));
  });
});
