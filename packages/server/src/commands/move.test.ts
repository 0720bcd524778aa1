import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { readConfig } from "../config.ts";
import type { Database } from "../platform/database/database.ts";
import { openSqlite } from "../platform/database/sqlite.ts";
import { readMark } from "../rollback/service.ts";
import type { Tables } from "../schema/tables.ts";
import { createTestClock } from "../testing/clock.ts";
import { makeDataDirectory } from "../testing/data-directory.ts";
import { backUp, restoreFrom } from "../testing/restored.ts";
import { CommandError } from "./command-error.ts";
import { lockDataDir } from "./migrate.ts";
import { moveInstallation } from "./move.ts";
import { getCompany, openEmbedded } from "./open-installation.ts";

describe("the command that moves an installation", () => {
  let directory: string;
  let made: Awaited<ReturnType<typeof makeDataDirectory>>;
  let to: Database<Tables>;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "sparekey-move-"));
    made = await makeDataDirectory("vendor", createTestClock());
    to = openSqlite<Tables>(join(directory, "to.db"));
  });
  afterEach(async () => {
    await to.close();
    for (const path of [directory, made.dataDir]) rmSync(path, { recursive: true });
  });

  const config = () => readConfig({ SPAREKEY_DATA_DIR: made.dataDir }).config;
  const move = (name = "db.example.com/sparekey") => moveInstallation(config(), { db: to, name });
  /** What every command asks before it works on a data directory. */
  const open = async () => {
    const db = openEmbedded(config());
    return getCompany(db, config()).finally(() => db.close());
  };
  const says = (message: RegExp, hint: RegExp) => (error: unknown) => {
    assert.ok(error instanceof CommandError && error.exitCode === 3, String(error));
    assert.match(error.message, message);
    assert.match(error.hint, hint);
    return true;
  };

  it("refuses a directory that is being served", async () => {
    const lock = lockDataDir(made.dataDir);
    await assert.rejects(move(), says(/another sparekey-server is using/, /stop that one first/));
    lock.release();
    await move();
  });

  it("leaves a directory that no command serves again, whose error says where it went", async () => {
    await open();
    const { rows } = await move();
    assert.equal(rows.company, 1);
    await assert.rejects(
      open(),
      says(/was moved to db\.example\.com\/sparekey$/, /^serve it there; .*migrate --from .* --to db\.example/),
    );
    assert.ok(readMark(join(made.dataDir, "record.mark")), "a copy from before the move would not be found");
    const company = await getCompany(to, config());
    assert.equal(company.name, "Test Company");
  });

  it("says that it is finished, or to where it was moved, when it is run once more", async () => {
    await move();
    await assert.rejects(move(), says(/is not empty/, /^the move is finished: serve db/));
    await to.close();
    to = openSqlite<Tables>(join(directory, "other.db"));
    await assert.rejects(move("elsewhere"), says(/was moved to db\.example/, /^finish that move with: /));
  });

  it("has a way back: a backup of the directory, restored, with every code void", async () => {
    await move();
    const db = openEmbedded(config());
    const path = join(directory, "back.backup");
    await backUp(db, path, createTestClock());
    await db.close();
    const restored = await restoreFrom(path, made.rootKey, createTestClock());
    await getCompany(restored.db, config());
    await restored.close();
  });
});
