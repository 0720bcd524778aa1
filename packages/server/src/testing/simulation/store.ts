/** The one database of a run: a real SQLite in memory, which begins every run as it was before the last. */
import { DatabaseSync } from "node:sqlite";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { kyselyOnSqlite } from "../../platform/database/sqlite-driver.ts";
import type { Connection, Tables } from "../../schema/tables.ts";

type Execute = (query: CompiledQuery) => Promise<QueryResult<unknown>>;

/** Compiled queries are remembered by their adapter: with one for all, each is compiled once. */
const adapter = new SqliteAdapter();

export class Store {
  readonly #database = new DatabaseSync(":memory:");
  /** What is committed, at once and without faults. */
  readonly db: Connection = kyselyOnSqlite<Tables>(this.#database);
  readonly #unit = kyselyOver((query) => this.#executeInUnit(query));
  #failsAfter = Number.POSITIVE_INFINITY;
  #statements = 0;
  /** Changes a statement's text, for a store that has a bug. */
  rewrite: (text: string) => string = (text) => text;

  constructor() {
    // A savepoint keeps a copy of every page that it changes, which would otherwise go to disk.
    this.#database.exec("PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY");
  }

  begin(): void {
    this.#database.exec("BEGIN");
  }

  /** Takes back everything since `begin`. */
  reset(): void {
    this.#database.exec("ROLLBACK");
    this.rewrite = (text) => text;
  }

  execute(query: CompiledQuery): Promise<QueryResult<unknown>> {
    const text = this.rewrite(query.sql);
    return this.db.getExecutor().provideConnection((connection) => connection.executeQuery({ ...query, sql: text }));
  }

  /**
   * Runs a unit of work, whole or not at all. It awaits nothing but its statements, so nothing comes in between.
   * `keep: false` answers what it would have, and keeps nothing.
   */
  async transact<Result>(
    unit: (trx: Connection) => Promise<Result>,
    { failsAfter = Number.POSITIVE_INFINITY, keep = true, keepHalves = false } = {},
  ): Promise<Result> {
    this.#failsAfter = failsAfter;
    this.#statements = 0;
    this.#database.exec("SAVEPOINT unit");
    try {
      const result = await unit(this.#unit);
      this.#database.exec(keep ? "RELEASE unit" : "ROLLBACK TO unit; RELEASE unit");
      return result;
    } catch (error) {
      this.#database.exec(keepHalves ? "RELEASE unit" : "ROLLBACK TO unit; RELEASE unit");
      throw error;
    }
  }

  #executeInUnit(query: CompiledQuery): Promise<QueryResult<unknown>> {
    if (++this.#statements > this.#failsAfter) throw new ConnectionLost();
    return this.execute(query);
  }
}

/** The connection ended in the middle of a unit of work. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/** A Kysely whose every statement goes through a function. */
export function kyselyOver(execute: Execute): Connection {
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => adapter,
      createDriver: () => new PassingDriver(execute),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}

class PassingDriver implements Driver {
  readonly #connection: DatabaseConnection;

  constructor(execute: Execute) {
    this.#connection = {
      executeQuery: <Row>(query: CompiledQuery) => execute(query) as Promise<QueryResult<Row>>,
      streamQuery: () => {
        throw new Error("streaming is not supported: read in pages");
      },
    };
  }

  async init() {}
  async acquireConnection() {
    return this.#connection;
  }
  async beginTransaction() {
    throw new Error("a unit of work is run by the store");
  }
  async commitTransaction() {}
  async rollbackTransaction() {}
  async releaseConnection() {}
  async destroy() {}
}
