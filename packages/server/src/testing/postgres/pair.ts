/** A primary and its synchronous standby, and what happens to the two of them. */
import type { ClusterOptions } from "./cluster.ts";
import { type PostgresServer, startPostgres } from "./server.ts";
import {
  beginToRequire,
  followPrimary,
  promote,
  requireStandby,
  restartAsStandby,
  startStandby,
  untilAlone,
  untilReplayed,
  untilSynchronous,
} from "./standby.ts";

/**
 * What was written outlives the processes, flushed to the disk or not. With `durable`, a failover takes twice as long:
 * each new standby starts by flushing every file.
 */
const outlivesProcesses = { synchronous_commit: "on", full_page_writes: "on" };

/** Starts both. Every commit from then on waits for the standby. */
export async function startPair(options: Partial<ClusterOptions> = {}): Promise<PostgresPair> {
  const primary = await startPostgres({ ...options, settings: { ...outlivesProcesses, ...options.settings } });
  let standby: PostgresServer | undefined;
  try {
    await requireStandby(primary);
    standby = await startStandby(primary);
    await beginToRequire(primary);
    return new PostgresPair(primary, standby);
  } catch (error) {
    await standby?.stop();
    await primary.stop();
    throw error;
  }
}

export class PostgresPair {
  #primary: PostgresServer;
  #standby: PostgresServer;

  constructor(primary: PostgresServer, standby: PostgresServer) {
    this.#primary = primary;
    this.#standby = standby;
  }

  get primary(): PostgresServer {
    return this.#primary;
  }

  /** After a promotion, the former primary, which is no standby until `renewStandby()`. */
  get standby(): PostgresServer {
    return this.#standby;
  }

  /** Resolves once a query at the standby sees all that is committed now. */
  async standbyCaughtUp(): Promise<void> {
    await untilReplayed(this.#standby, this.#primary);
  }

  /** The standby is out of reach, and the primary knows it: commits wait. (`standby.pause()` is how it does not know.) */
  async disconnectStandby(): Promise<void> {
    await followPrimary(this.#standby, undefined);
    await untilAlone(this.#primary);
  }

  async reconnectStandby(): Promise<void> {
    await followPrimary(this.#standby, this.#primary);
    await untilSynchronous(this.#primary);
  }

  /**
   * Makes the standby the primary, and answers it. Nothing happens to the former one, dead or alive. Commits at the new
   * one wait for a standby as before, so that the first of them waits for `renewStandby()`.
   */
  async promote(): Promise<PostgresServer> {
    await promote(this.#standby);
    [this.#primary, this.#standby] = [this.#standby, this.#primary];
    return this.#primary;
  }

  /** Makes the server that is not the primary its standby, from a fresh copy, after killing it if it runs. */
  async renewStandby(): Promise<void> {
    if (this.#standby.running) await this.#standby.kill9();
    await restartAsStandby(this.#standby, this.#primary);
    await untilSynchronous(this.#primary);
  }

  /** The primary crashes, the standby takes over, and the former primary comes back as its standby. */
  async failOver(): Promise<PostgresServer> {
    await this.#primary.kill9();
    await this.promote();
    await this.renewStandby();
    return this.#primary;
  }

  /** The standby first: a primary that shuts down waits for the standby to have everything. */
  async stop(): Promise<void> {
    await this.#standby.stop();
    await this.#primary.stop();
  }
}
