import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Kysely, sql } from "kysely";
import type { Database } from "../platform/database/database.ts";
import { migrateToLatest } from "../platform/database/migrate.ts";
import { openSqlite } from "../platform/database/sqlite.ts";
import { systemRandom } from "../platform/random.ts";
import { migrations } from "../schema/migrations.ts";
import { tableKeys } from "../schema/table-keys.ts";
import type { Tables } from "../schema/tables.ts";
import { startCore, type TestCore } from "../testing/core.ts";
import { openServices, rowsOf } from "../testing/restored.ts";
import { AlreadyMoved, CopyDiffers, copyInstallation, TargetInUse } from "./copy-service.ts";
import { findMovedTo } from "./service.ts";

const cutCopy = fileURLToPath(new URL("../testing/cut-copy.ts", import.meta.url));
const tables = Object.keys(tableKeys) as (keyof Tables)[];

type Unit = (trx: Kysely<Tables>) => Promise<unknown>;

/** The same database, with something around the transaction that a copy opens in it. */
function wrapTransaction(db: Database<Tables>, around: (unit: Unit) => Unit): Database<Tables> {
  return {
    ...db,
    migrate: (work) =>
      db.migrate((connection) => {
        const transaction = () => ({ execute: (unit: Unit) => connection.transaction().execute(around(unit)) });
        return work({ transaction } as never);
      }),
  };
}

describe("moving an installation into another database", () => {
  const directory = mkdtempSync(join(tmpdir(), "sparekey-copy-"));
  let core: TestCore;
  let code: string;
  let original: string;
  let from: Database<Tables>;
  let to: Database<Tables>;
  let paths: { from: string; to: string };
  let count = 0;

  before(async () => {
    core = await startCore();
    for (let n = 0; n < 300; n++) await core.createUser(`user${n}`);
    const { id } = await core.createUser("jane");
    code = await core.issue(id, { oneTime: true });
    original = join(directory, "original.db");
    await core.db.migrate((connection) => sql`VACUUM INTO ${original}`.execute(connection));
  });
  after(async () => {
    await core.close();
    rmSync(directory, { recursive: true });
  });
  beforeEach(() => {
    count++;
    paths = { from: join(directory, `from${count}.db`), to: join(directory, `to${count}.db`) };
    copyFileSync(original, paths.from);
    from = openSqlite<Tables>(paths.from);
    to = openSqlite<Tables>(paths.to);
  });
  afterEach(async () => {
    await from.close();
    await to.close();
  });

  const copy = (target = to, onRows: (count: number) => void = () => undefined) => {
    const names = { from: "here", to: "there" };
    return copyInstallation(from, target, { clock: core.clock, random: systemRandom, names, onRows });
  };
  /** Actions of the newest records. */
  const lastActions = async ({ read }: Database<Tables>, limit = 2) => {
    const query = read.selectFrom("audit_events").select("action").orderBy("sequence", "desc").limit(limit);
    return (await query.execute()).map(({ action }) => action);
  };

  it("copies every row, keeps the live code live, and goes on with the record", async () => {
    const before = new Map(await Promise.all(tables.map(async (table) => [table, await rowsOf(from, table)] as const)));
    await copy();
    for (const table of tables) {
      const rows = await rowsOf(to, table);
      if (table !== "audit_events") assert.deepEqual(rows, before.get(table), table);
      else assert.equal(rows.length, (before.get(table)?.length ?? 0) + 1, "its own record and no other");
    }
    const { verify, audit } = await openServices(to, core.rootKey, core.clock);
    assert.equal(await verify("jane", code), true);
    const { events } = await audit.find({ last: 3 });
    assert.deepEqual(
      events.map(({ action, details }) => [action, details.movedFrom]),
      [
        ["emergency_code.issued", undefined],
        ["installation.moved", "here"],
        ["emergency_code.verified", undefined],
      ],
    );
    assert.deepEqual(
      events.map(({ sequence }) => sequence - (events[0]?.sequence ?? 0)),
      [0, 1, 2],
    );
  });

  it("leaves the source marked, in its record, and the target not", async () => {
    assert.equal(await findMovedTo(from.read), undefined);
    await copy();
    assert.equal(await findMovedTo(from.read), "there");
    assert.equal(await findMovedTo(to.read), undefined);
  });

  it("refuses a target that holds this installation already, or another's, and touches neither", async () => {
    await copy();
    await assert.rejects(copy(), (error) => error instanceof TargetInUse && error.sameCompany);
    await assert.rejects(copy(core.db), (error) => error instanceof TargetInUse);
    const other = await startCore();
    const users = await rowsOf(other.db, "company");
    await assert.rejects(copy(other.db), (error) => error instanceof TargetInUse && !error.sameCompany);
    assert.deepEqual(await rowsOf(other.db, "company"), users);
    await other.close();
  });

  it("refuses a second target: there would be two installations", async () => {
    await copy();
    const third = openSqlite<Tables>(join(directory, "third.db"));
    const names = { from: "here", to: "elsewhere" };
    const options = { clock: core.clock, random: systemRandom, names, onRows: () => undefined };
    await assert.rejects(copyInstallation(from, third, options), AlreadyMoved);
    assert.deepEqual(await third.read.introspection.getTables(), []);
    await third.close();
  });

  it("finds a row that differs, whatever table it is in, and keeps nothing of the copy", async () => {
    const changes: [string, string][] = [
      ["users", "UPDATE users SET last_name = 'Other' WHERE username = 'jane'"],
      ["emergency_access", "UPDATE emergency_access SET status = 'revoked' WHERE status = 'active'"],
      ["audit_events", "UPDATE audit_events SET canonical = '{}' WHERE sequence = 7"],
      ["login_names", "DELETE FROM login_names WHERE folded = 'jane'"],
      ["authn_keys", "INSERT INTO authn_keys SELECT 'new', company_id, name, 'd', created_at FROM authn_keys"],
    ];
    const all = await Promise.all(tables.map(async (table) => (await rowsOf(from, table)).length));
    const total = all.reduce((sum, one) => sum + one, 0);
    for (const [table, change] of changes) {
      let seen = 0;
      let meddled: Promise<unknown> = Promise.resolve();
      let transaction: Kysely<Tables> | undefined;
      const watched = wrapTransaction(to, (unit) => (trx) => {
        transaction = trx;
        return unit(trx);
      });
      // In the target's own transaction, once the last row is copied and none is compared.
      const copying = copy(watched, (rows) => {
        seen += rows;
        if (seen === total) meddled = sql.raw(change).execute(transaction ?? assert.fail());
      });
      await assert.rejects(copying, (error) => error instanceof CopyDiffers && error.message.startsWith(table), table);
      await meddled;
      assert.deepEqual(await to.read.introspection.getTables(), []);
      assert.equal(await findMovedTo(from.read), undefined, "the source was marked");
    }
    await copy();
  });

  it("killed at any moment leaves at most one that can be served, and is finished by running it again", async () => {
    for (const rows of [1, 400, 1_000, 1_300, 2_000]) {
      const [source, target] = [join(directory, `killed${rows}.db`), join(directory, `half${rows}.db`)];
      copyFileSync(original, source);
      const { signal } = spawnSync(process.execPath, [cutCopy, source, target, String(rows)]);
      assert.equal(signal, "SIGKILL", `it was not killed at ${rows} rows`);
      const [killed, half] = [openSqlite<Tables>(source), openSqlite<Tables>(target)];
      assert.deepEqual(await half.read.introspection.getTables(), [], "a half copy could be seen");
      assert.equal(await findMovedTo(killed.read), undefined);
      await killed.close();
      await half.close();
      const { status, stderr } = spawnSync(process.execPath, [cutCopy, source, target, "1000000"]);
      assert.equal(status, 0, stderr.toString());
      const whole = openSqlite<Tables>(target);
      assert.equal((await rowsOf(whole, "users")).length, 301);
      await whole.close();
    }
  });

  it("that fails after the source was marked leaves neither served, and is finished by running it again", async () => {
    // The target's commit fails, as when its server goes away.
    const failing = wrapTransaction(to, (unit) => async (trx) => {
      await unit(trx);
      throw new Error("the target went away");
    });
    await assert.rejects(copy(failing), /went away/);
    assert.equal(await findMovedTo(from.read), "there");
    assert.deepEqual(await to.read.introspection.getTables(), []);
    await copy();
    assert.equal(await findMovedTo(to.read), undefined);
    assert.deepEqual(await lastActions(from), ["installation.moved", "emergency_code.issued"]);
    assert.deepEqual(await lastActions(to, 3), ["installation.moved", "installation.moved", "emergency_code.issued"]);
  });

  it("copies into a database whose tables are there, and empty", async () => {
    await to.migrate((connection) => migrateToLatest(connection, migrations));
    await copy();
    assert.equal((await rowsOf(to, "users")).length, 301);
  });

  it("keeps every other writer out of the source while it copies", async () => {
    const command = new DatabaseSync(paths.from, { timeout: 0 });
    const outcomes: string[] = [];
    const write = () => {
      try {
        command.exec("UPDATE users SET last_name = 'Changed'");
        return "written";
      } catch (error) {
        return (error as Error).message;
      }
    };
    await copy(to, () => outcomes.push(write()));
    assert.ok(outcomes.length > 10);
    assert.deepEqual([...new Set(outcomes)], ["database is locked"]);
    assert.equal(write(), "written", "control: afterwards it can be written");
    command.close();
  });
});
