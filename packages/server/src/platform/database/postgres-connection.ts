/** One connection to PostgreSQL: what it was told at its start, and what it has been through. */
import type { CompiledQuery, DatabaseConnection, QueryResult } from "kysely";
import pg from "pg";
import { withinMs } from "../deadline.ts";
import { DatabaseUnavailable } from "./database.ts";
import { asDatabaseError, isAnswered, isOutdated, isReadOnly, withoutValues } from "./postgres-errors.ts";

/** Longer than any statement of the product takes; the wait for a standby at the commit is not part of it. */
const statementTimeoutMs = 5_000;
/** How long an answer is waited for before the connection is given up as lost. */
const answerTimeoutMs = 10_000;
/** More distinct statements than the product has. */
const maxStatements = 500;
/** What a commit says that was told to stop waiting for its standby: it is kept here, and perhaps nowhere else. */
const warningCode = "01000";

/** Counts are numbers: none comes near what a number cannot hold. */
const types = {
  getTypeParser: (oid: number, format?: "text" | "binary") =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as "text"),
};

/** Settings of every connection; `url` may add TLS. */
export function connectionConfig(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    types: types as pg.CustomTypesConfig,
    keepAlive: true,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: 2 * statementTimeoutMs,
    application_name: "sparekey",
    options: "-c default_transaction_isolation=read\\ committed -c synchronous_commit=on",
  };
}

export class PostgresConnection implements DatabaseConnection {
  readonly client: pg.PoolClient;
  /** Set once an answer was lost or the server has changed: not to be used again. */
  broken = false;
  /** The transaction that is open, by which its fate can be asked for. */
  transactionId: string | undefined;
  readonly #names = new Map<string, string>();
  #lastName = 0;
  #warned = false;

  constructor(client: pg.PoolClient) {
    this.client = client;
    client.on("notice", ({ code }) => {
      if (code === warningCode) this.#warned = true;
    });
    client.on("error", () => {
      this.broken = true;
    });
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const { rows, rowCount } = await this.#runPrepared<Row>(query);
    return { rows, ...(rowCount !== null && { numAffectedRows: BigInt(rowCount) }) };
  }

  // biome-ignore lint/correctness/useYield: Kysely's interface asks for a generator; nothing here streams.
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error("streaming is not supported: read in pages");
  }

  async #runPrepared<Row>({ sql, parameters }: CompiledQuery): Promise<pg.QueryResult<Row & pg.QueryResultRow>> {
    const run = () => this.run<Row>({ text: sql, values: parameters as unknown[], name: this.#nameOf(sql) });
    try {
      return await run();
    } catch (error) {
      if (!isOutdated((error as Error).cause)) throw error;
      this.#names.delete(sql);
      // In a transaction there is nothing left to do but to roll it back.
      if (this.transactionId !== undefined) throw error;
      return run();
    }
  }

  /** Runs a statement, or several in one text, and throws what callers should see. */
  async run<Row>(query: pg.QueryConfig | string): Promise<pg.QueryResult<Row & pg.QueryResultRow>> {
    this.#warned = false;
    try {
      const result = await withinMs(
        answerTimeoutMs,
        this.client.query<Row & pg.QueryResultRow>(query as pg.QueryConfig),
        notAnswered,
      );
      if (this.#warned) throw new UnknownCommit("a commit stopped waiting for its standby");
      return result;
    } catch (error) {
      withoutValues(error);
      const seen = asDatabaseError(error);
      // A server that has become a standby stays one; the next connection may lead to its successor.
      if (!isAnswered(error) || isReadOnly(error)) this.broken = true;
      throw isAnswered(error) || seen instanceof UnknownCommit
        ? seen
        : new UnknownCommit("the answer was lost", { cause: seen });
    }
  }

  /** Statements are prepared once a connection and known by a name. */
  #nameOf(sql: string): string | undefined {
    const known = this.#names.get(sql);
    if (known !== undefined) return known;
    if (this.#names.size >= maxStatements) return undefined;
    const name = `s${this.#lastName++}`;
    this.#names.set(sql, name);
    return name;
  }
}

function notAnswered(): DatabaseUnavailable {
  return new DatabaseUnavailable("the database does not answer");
}

/** The transaction may have been kept: it was on its way to being so when the answer was lost. */
export class UnknownCommit extends DatabaseUnavailable {}
