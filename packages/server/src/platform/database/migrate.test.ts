import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, it } from "node:test";
import { type Kysely, sql } from "kysely";
import { Migrator } from "kysely/migration";
import { type Migrations, migrateToLatest, pendingMigrations } from "./migrate.ts";
import { kyselyOnSqlite } from "./sqlite-driver.ts";

const first = { up: async (db: Kysely<unknown>) => void (await sql`CREATE TABLE a (id TEXT)`.execute(db)) };
const halfway = {
  up: async (db: Kysely<unknown>) => {
    await sql`CREATE TABLE b (id TEXT)`.execute(db);
    await sql`INSERT INTO a VALUES ('from b')`.execute(db);
    await sql`INSERT INTO no_such_table VALUES (1)`.execute(db);
  },
};
const mended = { up: async (db: Kysely<unknown>) => void (await sql`CREATE TABLE b (id TEXT)`.execute(db)) };

describe("migrations", () => {
  let database: DatabaseSync;
  let db: Kysely<unknown>;

  beforeEach(() => {
    database = new DatabaseSync(":memory:");
    db = kyselyOnSqlite(database);
  });
  const tables = () =>
    database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'kysely%' ORDER BY name")
      .all()
      .map(({ name }) => name);

  it("run once, in the order of their names, and say what ran", async () => {
    const both: Migrations = { "0002-b": mended, "0001-a": first };
    assert.deepEqual(await migrateToLatest(db, both), ["0001-a", "0002-b"]);
    assert.deepEqual(await migrateToLatest(db, both), []);
    assert.deepEqual(tables(), ["a", "b"]);
  });

  it("leave nothing of one that fails half way, and run it whole once it is mended", async () => {
    await migrateToLatest(db, { "0001-a": first });
    await assert.rejects(migrateToLatest(db, { "0001-a": first, "0002-b": halfway }), /no_such_table/);
    assert.deepEqual(tables(), ["a"]);
    assert.deepEqual(database.prepare("SELECT * FROM a").all(), []);
    assert.equal(database.isTransaction, false);
    assert.deepEqual(await migrateToLatest(db, { "0001-a": first, "0002-b": mended }), ["0002-b"]);
    assert.deepEqual(tables(), ["a", "b"]);
  });

  it("control: without a transaction the failed half stays", async () => {
    await migrateToLatest(db, { "0001-a": first });
    const migrations: Migrations = { "0001-a": first, "0002-b": halfway };
    const migrator = new Migrator({
      db,
      provider: { getMigrations: async () => migrations },
      disableTransactions: true,
    });
    assert.ok((await migrator.migrateToLatest()).error);
    assert.deepEqual(tables(), ["a", "b"]);
  });

  it("are told apart: still to run, and unknown to this version", async () => {
    assert.deepEqual(await pendingMigrations(db, { "0001-a": first }), { pending: ["0001-a"], unknown: [] });
    await migrateToLatest(db, { "0001-a": first });
    const later = await pendingMigrations(db, { "0002-b": mended });
    assert.deepEqual(later, { pending: ["0002-b"], unknown: ["0001-a"] });
  });

  it("refuse a database that a newer version has migrated, and change nothing", async () => {
    await migrateToLatest(db, { "0001-a": first, "0002-b": mended });
    await assert.rejects(migrateToLatest(db, { "0001-a": first }), /0002-b/);
    assert.deepEqual(tables(), ["a", "b"]);
  });
});
