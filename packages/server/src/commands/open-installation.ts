/** Opens a data directory for a command, or says what is wrong with it and what to do. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { findMovedTo } from "../backup/service.ts";
import type { Config, Secrets } from "../config.ts";
import { type Company, findCompany } from "../installation/service.ts";
import type { Database } from "../platform/database/database.ts";
import { pendingMigrations } from "../platform/database/migrate.ts";
import { openPostgres } from "../platform/database/postgres.ts";
import { openSqlite, servingBusyTimeoutMs } from "../platform/database/sqlite.ts";
import { migrations } from "../schema/migrations.ts";
import type { Tables } from "../schema/tables.ts";
import { CommandError } from "./command-error.ts";

export const databaseFile = "sparekey.db";
/** The record mark. Beside the database, not in it: what puts the database alone back leaves the mark as it is. */
export const markFile = "record.mark";

/** The database that the configuration names, which `init` has made. */
export function openDatabase(config: Config, { databaseUrl }: Secrets, { serving = false } = {}): Database<Tables> {
  return databaseUrl === undefined ? openEmbedded(config, { serving }) : openPostgres<Tables>(databaseUrl);
}

export function openEmbedded({ dataDir }: Config, { serving = false } = {}): Database<Tables> {
  const path = join(dataDir, databaseFile);
  if (!existsSync(path)) {
    throw new CommandError(`${dataDir} holds no Sparekey installation`, {
      hint: `make one with: sparekey-server init --data-dir ${dataDir}`,
      exitCode: 3,
    });
  }
  return openSqlite<Tables>(path, serving ? { waitMs: servingBusyTimeoutMs } : {});
}

/** The same for what changes the schema: on PostgreSQL as the role that owns the tables, if one is named. */
export function openAsOwner(config: Config, secrets: Secrets): Database<Tables> {
  const { databaseUrl, databaseOwnerUrl } = secrets;
  return openDatabase(config, { ...secrets, databaseUrl: databaseUrl && (databaseOwnerUrl ?? databaseUrl) });
}

/** How a PostgreSQL database is called where others may read it: without role and password. */
export function databaseName({ databaseUrl = "" }: Secrets): string {
  const { host, pathname } = new URL(databaseUrl);
  return `postgres://${host}${pathname}`;
}

/** The company, once the schema is what this version expects and the installation is still here. */
export async function getCompany(db: Database<Tables>, config: Config): Promise<Company> {
  const company = await getMigratedCompany(db, config);
  const movedTo = await findMovedTo(db.read);
  if (movedTo === undefined) return company;
  throw new CommandError(`${config.dataDir} was moved to ${movedTo}`, {
    hint: `serve it there; if that move never finished, run it again: sparekey-server migrate --from ${config.dataDir} --to ${movedTo}`,
    exitCode: 3,
  });
}

/** The company, once the schema is what this version expects. It may have been moved away. */
export async function getMigratedCompany(db: Database<Tables>, config: Config): Promise<Company> {
  const { company, pending } = await requireInstallation(db, config);
  if (pending.length > 0) {
    throw new CommandError(`the database needs ${pending.length} migration(s)`, {
      hint: `run: sparekey-server migrate --data-dir ${config.dataDir}`,
      exitCode: 3,
    });
  }
  return { ...company, publicUrl: config.publicUrl ?? company.publicUrl };
}

/** Whether there is an installation that this version can read, if only in an older schema. */
export async function requireInstallation(
  db: Database<Tables>,
  config: Config,
): Promise<{ company: Company; pending: string[] }> {
  const { pending, unknown } = await pendingMigrations(db.read, migrations);
  if (unknown.length > 0) {
    throw new CommandError("the database was made by a newer version of Sparekey", {
      hint: "install that version again, or restore a backup made before the upgrade",
      exitCode: 3,
    });
  }
  const company = pending.length < Object.keys(migrations).length ? await findCompany(db.read) : undefined;
  if (company === undefined) {
    const where = config.database.kind === "sqlite" ? `in ${config.dataDir} ` : "";
    throw new CommandError(`the database ${where}holds no finished installation`, {
      hint: where === "" ? "run: sparekey-server init" : "move the directory away and run init again",
      exitCode: 3,
    });
  }
  return { company, pending };
}

/** Whether others on this machine could read the secrets in a directory. */
export function isOpenToOthers(dataDir: string): boolean {
  return existsSync(dataDir) && (statSync(dataDir).mode & 0o077) !== 0;
}
