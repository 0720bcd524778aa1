/** A real PostgreSQL server of a test's own: on loopback, in a directory that goes away with it. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { QueryResultRow } from "pg";
import { type Account, findAccount, makeDirectory } from "./account.ts";
import { findPostgres, type PostgresBinaries } from "./binaries.ts";
import { type ClusterOptions, certificateFile, makeCluster, runnableBinaries, superuser } from "./cluster.ts";
import { cloneDatabase, createDatabase, query, sameDatabaseAt, type TestDatabase } from "./databases.ts";
import { findFreePort } from "./free-port.ts";
import { Postmaster } from "./postmaster.ts";

/** Starts a fresh one. What is not said is fast rather than durable, and without TLS. */
export async function startPostgres(options: Partial<ClusterOptions> = {}): Promise<PostgresServer> {
  const password = randomBytes(12).toString("hex");
  const { tls = false, durable = false, settings = {} } = options;
  const server = new PostgresServer({ binaries: findPostgres(), account: findAccount(), password, tls });
  try {
    await makeCluster(server.bin, server.directory, server.origin.account, { tls, durable, settings, password });
    await server.startOnFreePort();
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** What a server has in common with its standbys. */
interface ServerOrigin {
  binaries: PostgresBinaries;
  account: Account | undefined;
  password: string;
  tls: boolean;
}

export class PostgresServer {
  readonly origin: ServerOrigin;
  readonly directory: string;
  /** Holds the programs that the server's account can run. */
  readonly bin: string;
  readonly #postmaster: Postmaster;
  #port = 0;

  constructor(origin: ServerOrigin) {
    this.origin = origin;
    this.directory = makeDirectory(origin.account);
    this.bin = runnableBinaries(origin.binaries, this.directory, origin.account);
    this.#postmaster = new Postmaster(join(this.bin, "postgres"), this.directory, origin.account);
  }

  /** As in `18.4`. */
  get version(): string {
    return this.origin.binaries.version;
  }

  /** The name that the certificate is for, when there is one. */
  get host(): string {
    return this.origin.tls ? "localhost" : "127.0.0.1";
  }

  /** Stays the same through crashes and restarts. */
  get port(): number {
    return this.#port;
  }

  get superuserUrl(): string {
    const tls = this.origin.tls ? `?sslmode=verify-full&sslrootcert=${certificateFile}` : "";
    return `postgres://${superuser}:${this.origin.password}@${this.host}:${this.port}/postgres${tls}`;
  }

  get dataDirectory(): string {
    return this.#postmaster.dataDirectory;
  }

  get running(): boolean {
    return this.#postmaster.running;
  }

  /** What the server wrote, since the directory was made. */
  log(): string {
    return this.#postmaster.log();
  }

  /** One statement as superuser, on a connection of its own. */
  query<Row extends QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]> {
    return query<Row>(this.superuserUrl, sql, values);
  }

  createDatabase(name?: string): Promise<TestDatabase> {
    return createDatabase(this.superuserUrl, name);
  }

  cloneDatabase(template: TestDatabase): Promise<TestDatabase> {
    return cloneDatabase(this.superuserUrl, template);
  }

  /** A database of another server, as this one holds it after a failover. */
  sameDatabase(database: TestDatabase): TestDatabase {
    return sameDatabaseAt(this.superuserUrl, database);
  }

  /** Resolves once it takes connections, after a crash too: what it has to recover is recovered then. */
  start(): Promise<void> {
    return this.#postmaster.start(this.#port);
  }

  /** For the first start. Somebody else may take a free port before we do. */
  async startOnFreePort(): Promise<void> {
    for (let attempts = 1; ; attempts += 1) {
      this.#port = await findFreePort();
      try {
        return await this.start();
      } catch (error) {
        if (attempts === 5 || !/could not bind/.test(this.log())) throw error;
      }
    }
  }

  async restart(): Promise<void> {
    await this.#postmaster.stop();
    await this.start();
  }

  /** Ends it for good, and removes it from the disk. */
  stop(): Promise<void> {
    return this.#postmaster.remove();
  }

  /** As a crash: every process is killed at once, and the data stays as it is. */
  kill9(): Promise<void> {
    return this.#postmaster.kill9();
  }

  /** Hangs: takes connections, because the system does that, and answers nothing. */
  pause(): Promise<void> {
    return this.#postmaster.pause();
  }

  resume(): Promise<void> {
    return this.#postmaster.resume();
  }
}
