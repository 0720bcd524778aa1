/** Kysely on Node's own `node:sqlite`: one connection, statements prepared once. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { asDatabaseError } from "./sqlite-errors.ts";

/** More distinct statements than the product has; beyond it the oldest is prepared again. */
const maxStatements = 500;

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, { statement: StatementSync; answersRows: boolean }>();

  readonly #beforeQuery: (() => void) | undefined;

  constructor(database: DatabaseSync, beforeQuery: (() => void) | undefined) {
    this.#database = database;
    this.#beforeQuery = beforeQuery;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    try {
      this.#beforeQuery?.();
      const { statement, answersRows } = this.#prepare(query.sql);
      const parameters = query.parameters as SQLInputValue[];
      if (answersRows) return { rows: statement.all(...parameters) as Row[] };
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    } catch (error) {
      throw asDatabaseError(error);
    }
  }

  // biome-ignore lint/correctness/useYield: Kysely's interface asks for a generator; nothing here streams.
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error("streaming is not supported: read in pages");
  }

  #prepare(sql: string) {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    const prepared = { statement, answersRows: statement.columns().length > 0 };
    this.#statements.set(sql, prepared);
    if (this.#statements.size > maxStatements) {
      const [oldest] = this.#statements.keys();
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    return prepared;
  }
}

class SqliteDriver implements Driver {
  readonly #database: DatabaseSync;
  readonly #connection: SqliteConnection;

  constructor(database: DatabaseSync, beforeQuery: (() => void) | undefined) {
    this.#database = database;
    this.#connection = new SqliteConnection(database, beforeQuery);
  }

  async init() {}
  async acquireConnection() {
    return this.#connection;
  }
  async beginTransaction() {
    this.#database.exec("BEGIN IMMEDIATE");
  }
  async commitTransaction() {
    this.#database.exec("COMMIT");
  }
  async rollbackTransaction() {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
  }
  async releaseConnection() {}
  async destroy() {
    this.#database.close();
  }
}

/** Kysely runs SQLite migrations outside a transaction unless told that DDL can be rolled back. It can. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl() {
    return true;
  }
}

/** A Kysely over an open connection; `destroy()` closes that connection. `beforeQuery` is called before each query. */
export function kyselyOnSqlite<Tables>(database: DatabaseSync, beforeQuery?: () => void): Kysely<Tables> {
  const dialect: Dialect = {
    createAdapter: () => new TransactionalSqliteAdapter(),
    createDriver: () => new SqliteDriver(database, beforeQuery),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
  return new Kysely<Tables>({ dialect });
}
