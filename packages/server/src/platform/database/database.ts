import type { Kysely } from "kysely";

/**
 * A database as the features see it.
 *
 * `read` sees what is committed. `write` runs a unit of work in a transaction, and its promise settles
 * only once the unit is durable or gone. Inside a unit only the connection it is handed may be awaited:
 * units share a physical transaction and would otherwise hold each other up.
 */
export interface Database<Tables> {
  readonly read: Kysely<Tables>;
  write<Result>(unit: (trx: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  /** Hands out the writing connection itself, for migrations, while nothing else is written. */
  migrate<Result>(work: (connection: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  /**
   * One consistent state, on a fresh connection of its own, while writers go on. Unlike a unit of work it may
   * await whatever it likes. Fresh matters: it sees what a new process would, also when the file was replaced.
   */
  snapshot<Result>(work: (db: Kysely<Tables>) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** The database cannot take or keep the work now. Nothing of the unit was kept. */
export class DatabaseUnavailable extends Error {
  override readonly name = "DatabaseUnavailable";
}
