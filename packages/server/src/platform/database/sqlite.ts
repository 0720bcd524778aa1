/** The embedded database: one file, one writer, readers beside it. */
import { DatabaseSync } from "node:sqlite";
import type { Kysely } from "kysely";
import { Lane } from "../lane.ts";
import type { Database } from "./database.ts";
import { DatabaseUnavailable } from "./database.ts";
import { GroupCommit } from "./group-commit.ts";
import { LogFlush } from "./log-flush.ts";
import { ReadSnapshot } from "./read-snapshot.ts";
import { runAlone } from "./run-guarded.ts";
import { kyselyOnSqlite } from "./sqlite-driver.ts";

/** How long a statement of a command waits for another process to finish its write. */
const busyTimeoutMs = 2_000;
/** The same for a server. Its whole process stands still meanwhile, and has to answer within two seconds all the same. */
export const servingBusyTimeoutMs = 400;
/** Everything shares one thread, so one report at a time; whoever asks for another can ask again. */
const reportBounds = { atOnce: 1, waiting: 8, rests: true };
/** Few enough that others share the transactions, many enough that a call of a thousand units needs few of them. */
const unitsAtOnce = 128;

/** How far the page cache of a connection may grow: 16 MiB. */
const cacheSize = "PRAGMA cache_size = -16384";
/** Each savepoint keeps a copy of every page that it changes. On disk, where they go otherwise, that is a third of all writes. */
const savepointsInMemory = "PRAGMA temp_store = MEMORY";
/** The log is written back into the database every 16 MiB, not 4: pages that change again and again are written back once. */
const writeBack = "PRAGMA wal_autocheckpoint = 4000";

interface SqliteOptions {
  /** How long a statement waits for another process. */
  waitMs?: number;
  /** How long a unit waits for its turn before it is not begun any more. */
  patienceMs?: number;
}

/** Opens the file, which need not exist yet, with every commit flushed to disk. */
export function openSqlite<Tables>(path: string, options: SqliteOptions = {}): Database<Tables> {
  const { waitMs = busyTimeoutMs, patienceMs } = options;
  // WAL lets readers go on beside the writer. NORMAL leaves the flush of the log to us: see LogFlush.
  const writer = openConnection(
    path,
    waitMs,
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; ${cacheSize}; ${savepointsInMemory}; ${writeBack}`,
  );
  const reader = openConnection(path, waitMs, `PRAGMA query_only = ON; ${cacheSize}`);
  const trx = kyselyOnSqlite<Tables>(writer);
  const lane = new Lane(reportBounds);
  const snapshot = new ReadSnapshot(reader);
  const read = kyselyOnSqlite<Tables>(reader, () => snapshot.begin());
  const log = new LogFlush(path);
  const around = { beforeCommit: () => snapshot.end(), afterCommit: () => log.flush() };
  const commits = new GroupCommit<Tables>(writer, trx, around, patienceMs);
  return {
    read,
    report: (run) => lane.run(() => run(read)),
    shared: false,
    unitsAtOnce,
    write: (unit) => commits.write(unit),
    apply: async (write, _row, prepare) => {
      const done = await commits.write((connection) => runAlone(connection, write, prepare()), { mayFail: false });
      for (const { written } of done.consequences) written?.();
      return done.words as never;
    },
    migrate: async (work) => {
      snapshot.end();
      const result = await work(trx);
      snapshot.end();
      await log.flush();
      return result;
    },
    // One writer: the numbers of the record are in the order of its commits.
    settled: async () => {},
    timeMs: async () => Date.now(),
    synchronousStandbys: async () => 0,
    snapshot: (work) => readSnapshot(path, work),
    load: () => ({
      queued: commits.waiting,
      oldestMs: commits.oldestMs,
      pools: { reports: { most: reportBounds.atOnce, inUse: lane.running, waiting: lane.waiting } },
    }),
    close: async () => {
      await commits.close();
      snapshot.end();
      log.close();
      await read.destroy();
      await trx.destroy();
    },
  };
}

/**
 * A read transaction holds the state that its first read saw; writers append to the log beyond it.
 *
 * Opened read-only: opened for writing, a path where nothing lies any more would become an empty database.
 */
async function readSnapshot<Tables, Result>(path: string, work: (db: Kysely<Tables>) => Promise<Result>) {
  const connection = openConnection(
    path,
    busyTimeoutMs,
    `${cacheSize}; BEGIN; SELECT count(*) FROM sqlite_schema`,
    true,
  );
  try {
    return await work(kyselyOnSqlite<Tables>(connection));
  } finally {
    connection.close();
  }
}

/** SQLite looks into the file only at the first statement, so that what is wrong with it shows there. */
function openConnection(path: string, waitMs: number, pragmas: string, readOnly = false): DatabaseSync {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(path, { timeout: waitMs, readOnly });
    connection.exec(pragmas);
    return connection;
  } catch (error) {
    connection?.close();
    throw new DatabaseUnavailable(`cannot open the database ${path}`, { cause: error });
  }
}
