/** What went wrong in or on the way to PostgreSQL, as callers should see it. */
import pg from "pg";
import { Refusal } from "../refusal.ts";
import { DatabaseUnavailable, LockTimeout } from "./database.ts";

/** SQLSTATE classes that say the server cannot take the work now, whatever the statement was. */
const unavailableClasses = new Map([
  ["08", "the connection to the database failed"],
  ["28", "the database refuses this user"],
  ["3D", "the database does not exist"],
  ["40", "the database rolled the transaction back"],
  ["53", "the database has run out of something"],
  ["55", "the database is busy"],
  ["57", "the database is stopping, or took too long"],
  ["58", "the database's machine failed"],
]);
/** A server that has become a standby: it answers, and will not write again. */
const readOnly = "25006";
/** A row was waited for longer than `lock_timeout`. */
const lockTimeout = "55P03";
/** Text that PostgreSQL cannot hold: a NUL, or half of a character. */
const unstorable = ["22021", "22P05"];
/** A row that another refers to was removed at the same moment: the client asks again, and learns why. */
const referenceGone = "23503";
/** What a transaction may simply be tried again after. */
const transient = ["40001", "40P01"];

/** Takes away what the server tells of the rows and parameters at hand: errors are logged, and rows hold names. */
export function withoutValues(error: unknown): void {
  if (!(error instanceof pg.DatabaseError)) return;
  for (const name of ["detail", "where", "internalQuery"] as const) error[name] = undefined;
}

/** Whether nothing of the transaction was kept and it is worth trying it again at once. */
export function isTransient(error: unknown): boolean {
  return error instanceof pg.DatabaseError && transient.includes(error.code ?? "");
}

/** Whether the server answered with an error, so that nothing of the statement was kept, rather than the connection ending. */
export function isAnswered(error: unknown): boolean {
  return error instanceof pg.DatabaseError && !(error.code ?? "").startsWith("57P");
}

export function isReadOnly(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === readOnly;
}

/** Whether a statement was prepared before the tables changed: it can never run again by that name. */
export function isOutdated(error: unknown): boolean {
  // The message is in the server's language.
  return error instanceof pg.DatabaseError && error.code === "0A000" && error.routine === "RevalidateCachedQuery";
}

/** `DatabaseUnavailable` when it is the database's state, a refusal when it is the client's text, itself when it is a bug. */
export function asDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof DatabaseUnavailable || error instanceof Refusal) return error;
  if (!(error instanceof pg.DatabaseError)) {
    return isConnectionError(error)
      ? new DatabaseUnavailable("the database cannot be reached", { cause: error })
      : error;
  }
  const code = error.code ?? "";
  if (unstorable.includes(code)) {
    return new Refusal("malformed_request", {
      answer: "A text holds a character that cannot be stored.",
      detail: code,
    });
  }
  if (isOutdated(error)) return new DatabaseUnavailable("the tables have changed", { cause: error });
  if (code === lockTimeout) return new LockTimeout("a row is held by another unit of work", { cause: error });
  if (code === referenceGone) return new DatabaseUnavailable("a row that was needed is gone", { cause: error });
  const reason = code === readOnly ? "the database is a standby" : unavailableClasses.get(code.slice(0, 2));
  return reason === undefined ? error : new DatabaseUnavailable(reason, { cause: error });
}

/** Errors of the socket have a code of the system; the driver's own have none, and say so in words. */
function isConnectionError(error: Error): boolean {
  if ("syscall" in error || "errors" in error) return true;
  return /connect|terminat|timeout|ended|not queryable|socket/i.test(error.message);
}
