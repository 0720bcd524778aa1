/** One process at a time: a lock that the operating system drops when its holder dies, however it dies. */
import { DatabaseSync } from "node:sqlite";
import { isSqliteError } from "./sqlite-errors.ts";

/** SQLite's result code for a lock that another process holds. */
const sqliteBusy = 5;

/**
 * Takes the lock that `path` stands for, or answers undefined when another process holds it.
 *
 * The file is an empty SQLite database held in an exclusive transaction. Node has no `flock`; SQLite
 * takes the same kind of lock, and unlike a pid file it cannot go stale after a `kill -9`.
 */
export function takeProcessLock(path: string): { release(): void } | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (isSqliteError(error) && error.errcode === sqliteBusy) return undefined;
    throw error;
  }
  return { release: () => database.close() };
}
