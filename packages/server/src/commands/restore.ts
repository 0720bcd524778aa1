/** `sparekey-server restore`: a new data directory from a backup, with every code that was live in it void. */
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import {
  type CheckedBackup,
  checkBackup,
  checkRootKey,
  DamagedBackup,
  NewerBackup,
  restoreBackup,
} from "../backup/service.ts";
import type { Configuration, Secrets } from "../config.ts";
import { type RootKey, WrongRootKey } from "../keyring/service.ts";
import { systemClock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { openSqlite } from "../platform/database/sqlite.ts";
import { systemRandom } from "../platform/random.ts";
import { currentMark, type RecordMark, writeMark } from "../rollback/service.ts";
import type { Tables } from "../schema/tables.ts";
import { CommandError } from "./command-error.ts";
import { lockDataDir, migrateAsOwner } from "./migrate.ts";
import { databaseFile, databaseName, markFile, openAsOwner } from "./open-installation.ts";
import { showProgress } from "./progress.ts";
import { getRootKey } from "./root-key.ts";

export interface RestoredInstallation {
  database: string;
  dataDir: string;
  company: string;
  madeAt: string;
  sha256: string;
  rows: Readonly<Record<string, number>>;
  voidedCodes: number;
  migrations: string[];
}

/** Checks the whole file and the root key before it makes anything; when it fails later, it removes what it made. */
export async function restore({ config, secrets }: Configuration, path: string): Promise<RestoredInstallation> {
  const { dataDir } = config;
  const embedded = config.database.kind === "sqlite";
  requireNewTarget(dataDir);
  const rootKey = await getRootKey(secrets.rootKey, config);
  try {
    const backup = await checkBackup(path);
    await requireRootKey(backup, rootKey);
    const { voided, migrated } = await (embedded
      ? fill(dataDir, backup)
      : fillPostgres(openAsOwner(config, secrets), backup, secrets));
    const { header, rows, sha256 } = backup;
    const { name: company } = header.company;
    const database = embedded ? join(dataDir, databaseFile) : databaseName(secrets);
    return {
      database,
      dataDir,
      company,
      madeAt: header.madeAt,
      sha256,
      rows,
      voidedCodes: voided,
      migrations: migrated,
    };
  } catch (error) {
    throw explain(error, path);
  }
}

/** A root key that was put there beforehand is welcome; an installation, or what is left of one, is not. */
function requireNewTarget(dataDir: string) {
  for (const name of [databaseFile, `${databaseFile}-wal`, `${databaseFile}-shm`, markFile]) {
    const path = join(dataDir, name);
    if (!existsSync(path)) continue;
    throw new CommandError(`${path} is already there, and restore overwrites nothing`, {
      hint: "move the directory away and restore into a new one, with the same root key",
      exitCode: 3,
    });
  }
}

async function requireRootKey(backup: CheckedBackup, rootKey: RootKey) {
  const empty = openSqlite<Tables>(":memory:");
  try {
    await checkRootKey(empty, backup, rootKey);
  } catch (error) {
    if (!(error instanceof WrongRootKey)) throw error;
    throw new CommandError("the root key does not open the keys in the backup", {
      hint: "name the root key of the installation that was backed up with SPAREKEY_ROOT_KEY_FILE",
      exitCode: 4,
      cause: error,
    });
  } finally {
    await empty.close();
  }
}

/** One transaction: an empty database is filled, or stays empty. Each node makes its own mark when it starts. */
async function fillPostgres(db: Database<Tables>, backup: CheckedBackup, secrets: Secrets) {
  try {
    if ((await db.read.introspection.getTables()).length > 0) {
      throw new CommandError(`${databaseName(secrets)} is not empty, and restore overwrites nothing`, {
        hint: "name an empty database with SPAREKEY_DATABASE_URL and SPAREKEY_DATABASE_OWNER_URL",
        exitCode: 3,
      });
    }
    const restored = await fillDatabase(db, backup);
    await migrateAsOwner(db, secrets);
    return restored;
  } finally {
    await db.close();
  }
}

/** The database gets its name once it is whole, closed and on disk. */
async function fill(dataDir: string, backup: CheckedBackup) {
  const isNew = !existsSync(dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (isNew) chmodSync(dataDir, 0o700);
  const lock = lockDataDir(dataDir);
  const unfinished = join(dataDir, `${databaseFile}.restoring`);
  const removeUnfinished = () => {
    for (const end of ["", "-wal", "-shm"]) rmSync(`${unfinished}${end}`, { force: true });
  };
  let whole = false;
  try {
    removeUnfinished();
    const db = openSqlite<Tables>(unfinished);
    const { mark, ...restored } = await fillDatabase(db, backup).finally(() => db.close());
    if (existsSync(`${unfinished}-wal`)) throw new Error("the restored database was not closed in order");
    sync(unfinished);
    renameSync(unfinished, join(dataDir, databaseFile));
    sync(dataDir);
    whole = true;
    if (mark !== undefined) await writeMark(join(dataDir, markFile), mark);
    return restored;
  } finally {
    removeUnfinished();
    lock.release();
    if (!whole) rmSync(join(dataDir, "serve.lock"), { force: true });
    if (!whole && isNew) rmSync(dataDir, { recursive: true });
  }
}

async function fillDatabase(db: Database<Tables>, backup: CheckedBackup) {
  const progress = showProgress("restoring");
  try {
    const options = { clock: systemClock, random: systemRandom, fileName: basename(backup.path), onRows: progress.add };
    const restored = await restoreBackup(db, backup, options);
    const mark: RecordMark | undefined = await currentMark(db.read, backup.header.company.id);
    return { ...restored, mark };
  } finally {
    progress.end();
  }
}

function sync(path: string) {
  const file = openSync(path, "r");
  fsyncSync(file);
  closeSync(file);
}

function explain(error: unknown, path: string): unknown {
  if (error instanceof DamagedBackup) {
    return new CommandError(`${path} cannot be restored: ${error.message}`, {
      hint: "compare its sha256sum with what backup said; restore another backup, or copy this one again",
      exitCode: 8,
      cause: error,
    });
  }
  if (error instanceof NewerBackup) {
    return new CommandError(`${path} cannot be restored: ${error.message}`, {
      hint: "install the version of Sparekey that made it, or a later one",
      exitCode: 3,
      cause: error,
    });
  }
  const { code, path: failed } = error as NodeJS.ErrnoException;
  if (failed !== path) return error;
  const hint = "name a backup that sparekey-server backup has made";
  return new CommandError(`cannot read ${path} (${code})`, { hint, exitCode: 2, cause: error });
}
