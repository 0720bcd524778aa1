/** `sparekey-server migrate`: brings the database to the schema of this version. */
import { join } from "node:path";
import type { Config } from "../config.ts";
import { migrateToLatest } from "../platform/database/migrate.ts";
import { takeProcessLock } from "../platform/database/process-lock.ts";
import { migrations } from "../schema/migrations.ts";
import { CommandError } from "./command-error.ts";
import { openDatabase } from "./open-installation.ts";

/** Answers the names of the migrations that ran. */
export async function migrate(config: Config): Promise<string[]> {
  const db = openDatabase(config);
  const lock = lockDataDir(config.dataDir);
  try {
    return await db.migrate((connection) => migrateToLatest(connection, migrations));
  } finally {
    lock.release();
    await db.close();
  }
}

/** Keeps a second process from serving or migrating the same data directory. */
export function lockDataDir(dataDir: string): { release(): void } {
  const lock = takeProcessLock(join(dataDir, "serve.lock"));
  if (lock !== undefined) return lock;
  throw new CommandError(`another sparekey-server is using ${dataDir}`, {
    hint: "stop that one first; one data directory serves one process",
    exitCode: 3,
  });
}
