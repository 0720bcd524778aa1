/** The maintenance commands on a real PostgreSQL: a move from SQLite, a backup there, and a restore beside it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { query, type TestDatabase } from "../packages/server/src/testing/postgres/databases.ts";
import { testPostgres } from "../packages/server/src/testing/postgres/shared.ts";

const program = join(import.meta.dirname, "../packages/server/src/main.ts");

describe("the maintenance commands on PostgreSQL", () => {
  const directory = mkdtempSync(join(tmpdir(), "sparekey-postgres-"));
  const source = join(directory, "source");
  const backup = join(directory, "x.backup");
  let moved: TestDatabase;
  let restored: TestDatabase;

  before(async () => {
    const server = await testPostgres();
    [moved, restored] = [await server.createDatabase(), await server.createDatabase()];
  });
  after(async () => {
    await Promise.all([moved.drop(), restored.drop()]);
    rmSync(directory, { recursive: true });
  });

  /** What the command printed with `--json`, or its failure. */
  async function run(database: TestDatabase | undefined, ...args: string[]) {
    const env = {
      ...process.env,
      SPAREKEY_ROOT_KEY_FILE: undefined as string | undefined,
      ...(database && { SPAREKEY_DATABASE_URL: database.appUrl, SPAREKEY_ROOT_KEY_FILE: join(source, "root.key") }),
      ...(database && args[0] === "restore" && { SPAREKEY_DATABASE_OWNER_URL: database.ownerUrl }),
    };
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args, "--json"], { env });
    return JSON.parse(stdout);
  }
  const recorded = async ({ superuserUrl }: TestDatabase) =>
    (await query<{ action: string }>(superuserUrl, "SELECT action FROM audit_events ORDER BY sequence")).map(
      ({ action }) => action,
    );

  it("move an installation over, row by row, and never twice", async () => {
    await run(undefined, "init", "--data-dir", source);
    const made = await run(moved, "migrate", "--from", source, "--to", moved.ownerUrl);
    assert.equal(made.rows.company, 1);
    assert.equal((await recorded(moved)).at(-1), "installation.moved");
    await assert.rejects(run(moved, "migrate", "--from", source, "--to", moved.ownerUrl), /the move is finished/);
    await assert.rejects(run(undefined, "keys", "list", "--data-dir", source), /was moved to postgres/);
  });

  it("leave the serving role the record to read and to add to, and no more", async () => {
    const key = await run(moved, "keys", "create", "--data-dir", source, "--authn", "VPN");
    assert.ok(key.id);
    for (const change of ["DELETE FROM audit_events", "UPDATE audit_events SET action = 'x'", "DROP TABLE users"]) {
      await assert.rejects(query(moved.appUrl, change), /permission denied|must be owner/);
    }
  });

  it("back up a live database and restore it into an empty one alone, with its live codes void", async () => {
    const made = await run(moved, "backup", "--to", backup);
    assert.ok(made.rows.audit_events > 1);
    const target = ["restore", backup, "--data-dir", join(directory, "restored")];
    assert.equal((await run(restored, ...target)).voidedCodes, 0);
    assert.equal((await recorded(restored)).at(-1), "installation.restored");
    await assert.rejects(run(restored, ...target), /is not empty/);
    assert.equal((await run(restored, "keys", "list", "--data-dir", source)).length, 3);
  });
});
