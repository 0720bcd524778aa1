import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { type Kysely, sql } from "kysely";
import type { Database } from "../platform/database/database.ts";
import { openSqlite } from "../platform/database/sqlite.ts";
import { describeTables, pageRows, pagesOf, tableColumns } from "../platform/database/table-rows.ts";
import { tableKeys } from "../schema/table-keys.ts";
import type { Tables } from "../schema/tables.ts";
import { startCore, type TestCore } from "../testing/core.ts";
import { backUp, restoreFrom } from "../testing/restored.ts";
import { defaultFileName } from "./format.ts";
import { FileExists } from "./service.ts";

describe("a backup", () => {
  let core: TestCore;
  let directory: string;
  let path: string;
  before(async () => {
    core = await startCore();
  });
  after(() => core.close());
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "sparekey-backup-"));
    path = join(directory, "a.backup");
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("goes through every table by its primary key, parents first", async () => {
    const shape = await core.db.migrate(async (connection) => {
      const found: Record<string, string[]> = {};
      for (const table of (await tableColumns(connection)).keys()) {
        const columns = await sql<{ name: string; pk: number }>`SELECT * FROM pragma_table_info(${table})`.execute(
          connection,
        );
        const key = columns.rows.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
        found[table] = key.map(({ name }) => name);
        const parents = await sql<{ table: string }>`SELECT * FROM pragma_foreign_key_list(${table})`.execute(
          connection,
        );
        const order = Object.keys(tableKeys);
        for (const parent of parents.rows) assert.ok(order.indexOf(parent.table) < order.indexOf(table), table);
      }
      return found;
    });
    assert.deepEqual(shape, Object.fromEntries(Object.entries(tableKeys).map(([name, key]) => [name, [...key]])));
  });

  /** Backs up by way of `snapshot` while codes are issued, used and revoked, and answers what does not fit together. */
  async function tornIn(snapshot: Database<Tables>["snapshot"]): Promise<string[]> {
    const users = await core.db.read.selectFrom("users").select(["id", "username"]).execute();
    let ended = false;
    let writes = 0;
    const load = users.map(async ({ id, username }, n) => {
      while (!ended) {
        const code = await core.issue(id, { oneTime: n % 2 === 0 });
        if (n % 3 === 0) await core.verify(username, code);
        if (n % 3 === 1) await core.codes.revoke(core.administrator, id);
        writes++;
      }
    });
    await backUp({ ...core.db, snapshot }, path, core.clock);
    ended = true;
    await Promise.all(load);
    assert.ok(writes > 200, "little was written while the backup was made");

    const restored = await restoreFrom(path, core.rootKey, core.clock);
    const access = await restored.db.read.selectFrom("emergency_access").selectAll().execute();
    const events = await restored.db.read.selectFrom("audit_events").selectAll().orderBy("sequence").execute();
    await restored.close();
    const issued = new Map<string | null, string>();
    for (const { action, user_id, canonical } of events) {
      if (action === "emergency_code.issued") issued.set(user_id, JSON.parse(canonical).details.codeId);
    }
    assert.equal(access.length, users.length);
    assert.deepEqual(
      events.map(({ sequence }) => sequence),
      events.map((_, n) => n + 1),
      "a record is missing",
    );
    return access
      .filter(({ user_id, code_id }) => (issued.get(user_id) ?? null) !== code_id)
      .map(({ user_id }) => user_id);
  }

  /** Between two pages there is time for many writes. */
  const slowed = (db: Kysely<Tables>) =>
    db.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        await delay(20);
        return result;
      },
    });

  it("taken while codes are issued, used and revoked is one state: every change with its record", async () => {
    await Promise.all(Array.from({ length: 40 }, (_, n) => core.createUser(`live.user${n}`)));
    assert.deepEqual(await tornIn((work) => core.db.snapshot((db) => work(slowed(db)))), []);
  });

  it("control: the same tables, read one after another from the live database, are no state that ever was", async () => {
    assert.notDeepEqual(await tornIn((work) => work(slowed(core.db.read))), []);
  });

  it("is whole when a table has more rows than a page, and exactly as many", async () => {
    await core.db.write((trx) => sql`CREATE TABLE note (a TEXT, b TEXT, n INTEGER, PRIMARY KEY (a, b))`.execute(trx));
    const insert = (count: number) =>
      core.db.write((trx) =>
        sql`WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ${count})
          INSERT INTO note SELECT n % 3, n, n FROM c`.execute(trx),
      );
    for (const count of [0, 1, pageRows, pageRows + 1, 3 * pageRows + 7]) {
      await core.db.write((trx) => sql`DELETE FROM note`.execute(trx));
      if (count > 0) await insert(count);
      const [note] = await describeTables(core.db.read, { note: ["a", "b"] });
      const seen = new Set<unknown>();
      for await (const page of pagesOf(core.db.read, note ?? assert.fail())) for (const row of page) seen.add(row[2]);
      assert.equal(seen.size, count);
    }
    await core.db.write((trx) => sql`DROP TABLE note`.execute(trx));
  });

  it("is for its owner alone, overwrites nothing, and leaves nothing when it fails", async () => {
    await backUp(core.db, path, core.clock);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    writeFileSync(path, "mine");
    await assert.rejects(backUp(core.db, path, core.clock), FileExists);
    assert.equal(readFileSync(path, "utf8"), "mine");
    assert.deepEqual(readdirSync(directory), ["a.backup"]);

    const failing = { ...core.db, snapshot: () => Promise.reject(new Error("gone")) };
    await assert.rejects(backUp(failing, join(directory, "b.backup"), core.clock), /gone/);
    await assert.rejects(backUp(core.db, join(directory, "no", "c.backup"), core.clock), { code: "ENOENT" });
    assert.deepEqual(readdirSync(directory), ["a.backup"]);
  });

  it("holds no byte of the root key in any spelling, compressed or not, though all the wrapped keys", async () => {
    await backUp(core.db, path, core.clock);
    const file = readFileSync(path);
    const text = gunzipSync(file);
    const spellings = [
      core.rootKey,
      ...(["base64", "base64url", "hex"] as const).map((name) => Buffer.from(core.rootKey.toString(name))),
      Buffer.from(core.rootKey.toString("hex").toUpperCase()),
      Buffer.from(JSON.stringify([...core.rootKey]).slice(1, -1)),
    ];
    for (const spelling of spellings) assert.ok(!file.includes(spelling) && !text.includes(spelling));
    const keys = await core.db.read.selectFrom("keyring_keys").select("wrapped").execute();
    for (const { wrapped } of keys) assert.ok(text.includes(wrapped));
    assert.ok(Buffer.concat([text, core.rootKey]).includes(core.rootKey), "control: it would be found");
  });

  it("never makes a database where none is", async () => {
    const gone = join(directory, "gone.db");
    const db = openSqlite<Tables>(gone);
    await db.write((trx) => sql`CREATE TABLE a (b TEXT)`.execute(trx));
    for (const end of ["", "-wal", "-shm"]) rmSync(`${gone}${end}`);
    await assert.rejects(
      db.snapshot(async () => undefined),
      /cannot open the database/,
    );
    assert.equal(existsSync(gone), false);
    await db.close();
  });
});

it("a file is named after company and time, whatever the company is called", () => {
  const at = "2026-11-24T10:59:59.123Z";
  assert.equal(defaultFileName("Exämple Corp, Ltd.", at), "sparekey-example-corp-ltd-20261124T105959Z.backup");
  assert.equal(defaultFileName("../../etc/passwd", at), "sparekey-etc-passwd-20261124T105959Z.backup");
  assert.equal(defaultFileName("株式会社", at), "sparekey-company-20261124T105959Z.backup");
});
