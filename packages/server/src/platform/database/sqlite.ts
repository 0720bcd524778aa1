/** The embedded database: one file, one writer, readers beside it. */
import { DatabaseSync } from "node:sqlite";
import { Lane } from "../lane.ts";
import type { Database } from "./database.ts";
import { DatabaseUnavailable } from "./database.ts";
import { GroupCommit } from "./group-commit.ts";
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

/** Opens the file, which need not exist yet, with every commit flushed to disk. */
export function openSqlite<Tables>(path: string, waitMs = busyTimeoutMs): Database<Tables> {
  // WAL lets readers go on beside the writer; FULL flushes the log at each commit, so an acknowledged write survives.
  const writer = openConnection(
    path,
    waitMs,
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; ${cacheSize}; ${savepointsInMemory}; ${writeBack}`,
  );
  const reader = openConnection(path, waitMs, `PRAGMA query_only = ON; ${cacheSize}`);
  const trx = kyselyOnSqlite<Tables>(writer);
  const read = kyselyOnSqlite<Tables>(reader);
  const lane = new Lane(reportBounds);
  const commits = new GroupCommit<Tables>(writer, trx);
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
    migrate: (work) => work(trx),
    // One writer: the numbers of the record are in the order of its commits.
    settled: async () => {},
    timeMs: async () => Date.now(),
    synchronousStandbys: async () => 0,
    load: () => ({
      queued: commits.waiting,
      oldestMs: commits.oldestMs,
      pools: { reports: { most: reportBounds.atOnce, inUse: lane.running, waiting: lane.waiting } },
    }),
    close: async () => {
      await commits.close();
      await read.destroy();
      await trx.destroy();
    },
  };
}

/** SQLite looks into the file only at the first statement, so that what is wrong with it shows there. */
function openConnection(path: string, waitMs: number, pragmas: string): DatabaseSync {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(path, { timeout: waitMs });
    connection.exec(pragmas);
    return connection;
  } catch (error) {
    connection?.close();
    throw new DatabaseUnavailable(`cannot open the database ${path}`, { cause: error });
  }
}
