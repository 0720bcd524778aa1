/** The embedded database: one file, one writer, readers beside it. */
import { DatabaseSync } from "node:sqlite";
import type { Database } from "./database.ts";
import { DatabaseUnavailable } from "./database.ts";
import { GroupCommit } from "./group-commit.ts";
import { kyselyOnSqlite } from "./sqlite-driver.ts";

/** How long a statement waits for another process (`keys`, `migrate`) to finish its write. */
const busyTimeoutMs = 2_000;

/** Opens the file, which need not exist yet, with every commit flushed to disk. */
export function openSqlite<Tables>(path: string): Database<Tables> {
  const writer = openConnection(path);
  // WAL lets readers go on beside the writer; FULL flushes the log at each commit, so an acknowledged write survives.
  writer.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -16384",
  );
  const reader = openConnection(path);
  reader.exec("PRAGMA query_only = ON; PRAGMA cache_size = -16384");
  const trx = kyselyOnSqlite<Tables>(writer);
  const read = kyselyOnSqlite<Tables>(reader);
  const commits = new GroupCommit<Tables>(writer, trx);
  return {
    read,
    write: (unit) => commits.write(unit),
    migrate: (work) => work(trx),
    close: async () => {
      await commits.close();
      await read.destroy();
      await trx.destroy();
    },
  };
}

function openConnection(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: busyTimeoutMs });
  } catch (error) {
    throw new DatabaseUnavailable(`cannot open the database ${path}`, { cause: error });
  }
}
