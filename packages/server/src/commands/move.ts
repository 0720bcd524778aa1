/** `sparekey-server migrate --from DIR --to …`: an installation from a data directory into another database. */
import { join } from "node:path";
import { AlreadyMoved, type Copied, CopyDiffers, copyInstallation, TargetInUse } from "../backup/copy-service.ts";
import type { Config, Configuration } from "../config.ts";
import { systemClock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { openPostgres } from "../platform/database/postgres.ts";
import { systemRandom } from "../platform/random.ts";
import { currentMark, writeMark } from "../rollback/service.ts";
import type { Tables } from "../schema/tables.ts";
import { CommandError } from "./command-error.ts";
import { lockDataDir, migrateAsOwner } from "./migrate.ts";
import { getMigratedCompany, markFile, openEmbedded } from "./open-installation.ts";
import { showProgress } from "./progress.ts";

/** A database to move to. `name` says which in records and errors, so it holds no password. */
export interface MoveTarget {
  db: Database<Tables>;
  name: string;
}

export interface Moved extends Copied {
  from: string;
  to: string;
}

/** Moves the data directory to the PostgreSQL that a URL of its owner names. */
export async function moveToPostgres({ config, secrets }: Configuration, url: string): Promise<Moved> {
  const { host, pathname } = URL.parse(url) ?? { host: "", pathname: "" };
  if (!/^postgres(ql)?:\/\//.test(url) || pathname.length < 2) {
    throw new CommandError("--to must be like postgres://owner:password@host:5432/database", {
      hint: "name the role that is to own the tables; the serving role is the one of SPAREKEY_DATABASE_URL",
      exitCode: 2,
    });
  }
  const db = openPostgres<Tables>(url);
  try {
    const moved = await moveInstallation(config, { db, name: `postgres://${host}${pathname}` });
    await migrateAsOwner(db, { databaseUrl: secrets.databaseUrl, databaseOwnerUrl: url });
    return moved;
  } finally {
    await db.close();
  }
}

/** The target stays open. */
export async function moveInstallation(config: Config, target: MoveTarget): Promise<Moved> {
  const { dataDir } = config;
  const from = openEmbedded(config);
  try {
    const lock = lockDataDir(dataDir);
    try {
      return await move(from, target, config);
    } finally {
      lock.release();
    }
  } catch (error) {
    throw explain(error, dataDir, target.name);
  } finally {
    await from.close();
  }
}

async function move(from: Database<Tables>, target: MoveTarget, config: Config): Promise<Moved> {
  const { id } = await getMigratedCompany(from, config);
  const progress = showProgress("moving");
  try {
    const names = { from: config.dataDir, to: target.name };
    const options = { clock: systemClock, random: systemRandom, names, onRows: progress.add };
    const copied = await copyInstallation(from, target.db, options);
    // So that a database from before the move, should it ever be put back here, is taken for what it is.
    const mark = await currentMark(from.read, id);
    if (mark !== undefined) await writeMark(join(config.dataDir, markFile), mark);
    return { ...copied, ...names };
  } finally {
    progress.end();
  }
}

function explain(error: unknown, from: string, to: string): unknown {
  if (error instanceof TargetInUse) {
    const hint = error.sameCompany
      ? `the move is finished: serve ${to}`
      : "name an empty database; nothing in this one was touched";
    return new CommandError(`${to} is not empty: ${error.message}`, { hint, exitCode: 3, cause: error });
  }
  if (error instanceof AlreadyMoved) {
    const hint = `finish that move with: sparekey-server migrate --from ${from} --to ${error.message}; or serve it there`;
    return new CommandError(`${from} was moved to ${error.message}`, { hint, exitCode: 3, cause: error });
  }
  if (!(error instanceof CopyDiffers)) return error;
  return new CommandError(`the copy is not what the original is: ${error.message}`, {
    hint: "nothing was kept of it, and the original is as it was; check the disk and run it again",
    exitCode: 6,
    cause: error,
  });
}
