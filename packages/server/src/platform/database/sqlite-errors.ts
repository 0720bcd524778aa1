import { DatabaseUnavailable } from "./database.ts";

/** SQLite result codes that say the database cannot be used now, whatever the statement was. */
const unavailableCodes = new Map([
  [5, "another process holds the database"],
  [6, "a table is locked"],
  [8, "the database is read-only"],
  [10, "the disk failed to read or write"],
  [11, "the database file is corrupt"],
  [13, "the disk is full"],
  [14, "the database file cannot be opened"],
  [26, "the file is not a database"],
]);

/** A row that another refers to was removed at the same moment: the client asks again, and learns why. */
const referenceGone = 787;

/** Whether an error came from SQLite itself rather than from our code. */
export function isSqliteError(error: unknown): error is Error & { errcode: number } {
  return error instanceof Error && "code" in error && error.code === "ERR_SQLITE_ERROR";
}

/** The error as callers should see it: `DatabaseUnavailable` when it is the database's state, itself when it is a bug. */
export function asDatabaseError(error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  if (error.errcode === referenceGone)
    return new DatabaseUnavailable("a row that was needed is gone", { cause: error });
  // The low byte is the primary code; the rest says more about it.
  const reason = unavailableCodes.get(error.errcode & 0xff);
  return reason === undefined ? error : new DatabaseUnavailable(reason, { cause: error });
}
