/** Kysely on a pool of PostgreSQL connections. */
import {
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type TransactionSettings,
} from "kysely";
import pg from "pg";
import { DatabaseUnavailable } from "./database.ts";
import { connectionConfig, PostgresConnection, UnknownCommit } from "./postgres-connection.ts";
import { asDatabaseError } from "./postgres-errors.ts";

/** How many calls wait for a connection at most; past it the service says that it is overloaded instead of growing. */
const maxWaiting = 2_000;

/** Says what became of a transaction whose commit was not acknowledged: `committed`, `aborted`, or that it cannot be said. */
export type ResolveCommit = (transactionId: string) => Promise<"committed" | "aborted" | "unknown">;

class PostgresDriver implements Driver {
  readonly #pool: pg.Pool;
  readonly #connections = new WeakMap<pg.PoolClient, PostgresConnection>();
  readonly #resolve: ResolveCommit;

  constructor(pool: pg.Pool, resolve: ResolveCommit) {
    this.#pool = pool;
    this.#resolve = resolve;
  }

  async init() {}

  async acquireConnection(): Promise<PostgresConnection> {
    if (this.#pool.waitingCount >= maxWaiting) throw new DatabaseUnavailable("too many calls wait for the database");
    try {
      const client = await this.#pool.connect();
      const known = this.#connections.get(client) ?? new PostgresConnection(client);
      this.#connections.set(client, known);
      return known;
    } catch (error) {
      // Whatever it is, a certificate that nobody vouches for among it: there is no connection.
      const seen = asDatabaseError(error);
      throw seen instanceof DatabaseUnavailable
        ? seen
        : new DatabaseUnavailable("the database cannot be reached", { cause: error });
    }
  }

  /** Every unit of work writes, so its id costs nothing, and it comes with the same round trip. */
  async beginTransaction(connection: DatabaseConnection, { isolationLevel, accessMode }: TransactionSettings) {
    const own = connection as PostgresConnection;
    if (accessMode === "read only") {
      await own.run(`BEGIN ISOLATION LEVEL ${isolationLevel ?? "read committed"} READ ONLY`);
      return;
    }
    const results = await own.run<{ id: string }>("BEGIN; SELECT pg_current_xact_id()::text AS id");
    const [, { rows = [] } = {}] = results as unknown as pg.QueryResult<{ id: string }>[];
    own.transactionId = rows[0]?.id;
  }

  async commitTransaction(connection: DatabaseConnection) {
    const own = connection as PostgresConnection;
    try {
      const { command } = await own.run("COMMIT");
      if (command !== "COMMIT") throw new DatabaseUnavailable("the transaction was rolled back");
    } catch (error) {
      if (!(error instanceof UnknownCommit) || own.transactionId === undefined) throw error;
      // The acknowledgement was lost, not necessarily the commit.
      const fate = await this.#resolve(own.transactionId);
      if (fate !== "committed") throw error;
    }
  }

  async rollbackTransaction(connection: DatabaseConnection) {
    const own = connection as PostgresConnection;
    if (own.broken) return;
    await own.run("ROLLBACK").catch(() => {
      own.broken = true;
    });
  }

  async releaseConnection(connection: DatabaseConnection) {
    const own = connection as PostgresConnection;
    own.transactionId = undefined;
    own.client.release(own.broken);
  }

  async destroy() {
    await this.#pool.end();
  }
}

/** A pool of at most `max` connections. Errors of idle connections are not fatal: the next call opens another. */
export function openPool(url: string, max: number, more: pg.PoolConfig): pg.Pool {
  const idle = { idleTimeoutMillis: 30_000, allowExitOnIdle: false };
  const pool = new pg.Pool({ ...connectionConfig(url), ...idle, ...more, max });
  pool.on("error", () => undefined);
  return pool;
}

export function kyselyOnPostgres<Tables>(pool: pg.Pool, resolve: ResolveCommit): Kysely<Tables> {
  const dialect: Dialect = {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PostgresDriver(pool, resolve),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
  return new Kysely<Tables>({ dialect });
}
