/** `sparekey-server migrate`: brings the database to the schema of this version. */
import { join } from "node:path";
import type { Config, Secrets } from "../config.ts";
import type { Database } from "../platform/database/database.ts";
import { migrateToLatest } from "../platform/database/migrate.ts";
import { takeProcessLock } from "../platform/database/process-lock.ts";
import { migrations } from "../schema/migrations.ts";
import { grantPrivileges } from "../schema/privileges.ts";
import type { Tables } from "../schema/tables.ts";
import { CommandError } from "./command-error.ts";
import { openAsOwner } from "./open-installation.ts";

/** Answers the names of the migrations that ran. On PostgreSQL the serving role is granted what it needs. */
export async function migrate(config: Config, secrets: Secrets): Promise<string[]> {
  const db = openAsOwner(config, secrets);
  // Several may migrate PostgreSQL at once: the first takes a lock in the database, the others find the work done.
  const lock = config.database.kind === "sqlite" ? lockDataDir(config.dataDir) : undefined;
  try {
    return await migrateAsOwner(db, secrets);
  } finally {
    lock?.release();
    await db.close();
  }
}

export async function migrateAsOwner(
  db: Database<Tables>,
  { databaseUrl, databaseOwnerUrl }: Pick<Secrets, "databaseUrl" | "databaseOwnerUrl">,
): Promise<string[]> {
  const ran = await db.migrate((connection) => migrateToLatest(connection, migrations));
  const role = databaseUrl && roleOf(databaseUrl);
  if (role !== undefined && databaseOwnerUrl !== undefined && role !== roleOf(databaseOwnerUrl)) {
    await db.migrate((connection) => grantPrivileges(connection, role));
  }
  return ran;
}

/** Undefined when the URL leaves it to the environment. */
function roleOf(url: string): string | undefined {
  return decodeURIComponent(new URL(url).username) || undefined;
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
