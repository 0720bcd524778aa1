import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { Kysely } from "kysely";
import { makeNotes, type NoteTables, openNotes } from "../../testing/note-database.ts";
import type { TestDatabase } from "../../testing/postgres/databases.ts";
import { testPostgres } from "../../testing/postgres/shared.ts";
import { type StatementLog, startStatementLog } from "../../testing/statements.ts";
import { type Database, DatabaseUnavailable } from "./database.ts";
import { lookup } from "./lookup.ts";

const bounded = { timeout: 120_000 };
const noteIds = Array.from({ length: 500 }, (_, n) => `note-${n}`);

describe("lookups on PostgreSQL", bounded, () => {
  let database: TestDatabase;
  let db: Database<NoteTables>;
  let log: StatementLog;

  before(async () => {
    database = await (await testPostgres()).createDatabase();
    await makeNotes(database, noteIds);
    log = startStatementLog();
  });
  after(async () => {
    log.stop();
    await database.drop();
  });
  beforeEach(async () => {
    db = openNotes(database.appUrl);
    await db.timeMs();
    log.take();
  });
  afterEach(() => db.close());

  const byId = lookup((connection: Kysely<NoteTables>, { id }: { id: string }) =>
    connection.selectFrom("note").select(["id", "changes"]).where("id", "=", id),
  );
  const eventsOfNote = lookup((connection: Kysely<NoteTables>, { noteId }: { noteId: string }) =>
    connection.selectFrom("event").select("text").where("note_id", "=", noteId),
  );
  const lookups = () => log.take().filter((statement) => /LATERAL|from "note"/i.test(statement)).length;

  it("that wait at the same time travel in few statements, and each finds its own rows", async () => {
    const found = await Promise.all([...noteIds, "no-such-note"].map((id) => byId(db.read, { id })));
    assert.deepEqual(found, [...noteIds.map((id) => [{ id, changes: 0 }]), []]);
    assert.ok(lookups() <= 4);
  });

  it("control: one after the other they take a statement each", async () => {
    for (const id of noteIds.slice(0, 10)) await byId(db.read, { id });
    assert.equal(lookups(), 10);
  });

  it("find several rows of one key, and the same rows for whoever asks", async () => {
    for (const [id, text] of [
      ["1", "first"],
      ["2", "second"],
    ] as const) {
      await db.write((trx) => trx.insertInto("event").values({ id, note_id: "note-7", text }).execute());
    }
    const found = await Promise.all(["note-7", "note-8", "note-7"].map((noteId) => eventsOfNote(db.read, { noteId })));
    const both = ["first", "second"];
    assert.deepEqual(
      found.map((rows) => rows.map(({ text }) => text).sort()),
      [both, [], both],
    );
  });

  it("see in a unit of work what it has written, and outside only what is committed", async () => {
    await db.write(async (trx) => {
      await trx.updateTable("note").set({ changes: 7 }).where("id", "=", "note-1").execute();
      assert.deepEqual(await byId(trx, { id: "note-1" }), [{ id: "note-1", changes: 7 }]);
      assert.deepEqual(await byId(db.read, { id: "note-1" }), [{ id: "note-1", changes: 0 }]);
      await trx.updateTable("note").set({ changes: 0 }).where("id", "=", "note-1").execute();
    });
  });

  it("are not failed by one whose key PostgreSQL cannot hold", async () => {
    const [before, impossible, behind] = await Promise.allSettled(
      ["note-1", "half \u0000 a key", "note-2"].map((id) => byId(db.read, { id })),
    );
    assert.deepEqual(before, { status: "fulfilled", value: [{ id: "note-1", changes: 0 }] });
    assert.deepEqual(behind, { status: "fulfilled", value: [{ id: "note-2", changes: 0 }] });
    assert.ok(impossible?.status === "rejected" || impossible?.value.length === 0);
  });

  it("take any text for a key as it is", async () => {
    const ids = [`"`, `\\`, `{"op":0}`, "'; DROP TABLE note; --", "\u{1f511}", "%", ""];
    await db.write((trx) =>
      trx
        .insertInto("note")
        .values(ids.map((id) => ({ id, text: "", changes: 0 })))
        .execute(),
    );
    const found = await Promise.all(ids.map((id) => byId(db.read, { id })));
    assert.deepEqual(
      found.map(([row]) => row?.id),
      ids,
    );
  });

  it("are refused beyond ten thousand that wait, and those that wait are answered", async () => {
    const waiting = Array.from({ length: 10_000 }, (_, n) => byId(db.read, { id: `note-${n % 500}` }));
    await assert.rejects(byId(db.read, { id: "note-1" }), DatabaseUnavailable);
    for (const rows of await Promise.all(waiting)) assert.equal(rows.length, 1);
    assert.equal((await byId(db.read, { id: "note-1" })).length, 1);
  });
});
