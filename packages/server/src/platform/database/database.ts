import type { Kysely } from "kysely";
import type { GuardedWrite, Operation } from "./guarded-write.ts";

/**
 * A database as the features see it.
 *
 * `read` sees what is committed. `write` runs a unit of work in a transaction, and its promise settles
 * only once the unit is durable or gone. Inside a unit only the connection it is handed may be awaited:
 * units share a physical transaction and would otherwise hold each other up.
 */
export interface Database<Tables> {
  readonly read: Kysely<Tables>;
  /**
   * Sees the same, and keeps nobody waiting who verifies: for listings. Few run at once, few more wait, and the
   * rest is refused with `unavailable`.
   */
  report<Result>(work: (db: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  /** True when other processes may serve the same database. */
  readonly shared: boolean;
  /** How many units of one call may wait at the same time, so that other calls find room beside it. */
  readonly unitsAtOnce: number;
  write<Result>(unit: (trx: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  /**
   * Runs a guarded write, durably, together with others that wait at the same time. `row` names the row that it
   * is about: two operations on one row never share a statement. `prepare` is called when its turn has come,
   * and again should its batch have failed because of another. Answers the words of the outcome.
   */
  apply<Table extends keyof Tables & string, Input extends object, Word extends string>(
    write: GuardedWrite<Tables, Table, Input, Word>,
    row: string,
    prepare: () => Operation<Input, Word>,
  ): Promise<readonly (Word | "none")[]>;
  /** Hands out the writing connection itself, for migrations, while nothing else is written. */
  migrate<Result>(work: (connection: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  /** Resolves once every write that has begun by now is over: what is numbered below what is seen now is then complete. */
  settled(): Promise<void>;
  /** The database's own time, in milliseconds since 1970. */
  timeMs(): Promise<number>;
  /** How many standbys have every commit before it is acknowledged. */
  synchronousStandbys(): Promise<number>;
  /**
   * One consistent state, on a fresh connection of its own, while writers go on. Unlike a unit of work it may
   * await whatever it likes. Fresh matters: it sees what a new process would, also when the file was replaced.
   */
  snapshot<Result>(work: (db: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  load(): DatabaseLoad;
  close(): Promise<void>;
}

/** How busy a database's connections and queues are, for the metrics. */
export interface DatabaseLoad {
  /** Writes that wait for their turn, and how long the oldest of them has. */
  queued: number;
  oldestMs: number;
  /** What runs at once and what waits for that, by what it is for; `most` may run. */
  pools: Readonly<Record<string, { most: number; inUse: number; waiting: number }>>;
}

/** The database cannot take or keep the work now. Nothing of the unit was kept, or nobody can say whether it was. */
export class DatabaseUnavailable extends Error {
  override readonly name = "DatabaseUnavailable";
}

/** Another unit of work held a row for longer than this one was to wait for it. */
export class LockTimeout extends DatabaseUnavailable {}
