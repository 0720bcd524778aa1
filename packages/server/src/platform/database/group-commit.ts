/**
 * Group commit: units of work that wait at the same time share one physical transaction.
 *
 * A durable commit costs a flush of the disk, whether it holds one unit or a hundred. Units run one
 * after another, each in its own savepoint, so that a unit that fails takes nothing else with it.
 * None is acknowledged before the commit that holds it is on disk.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Kysely } from "kysely";
import { DatabaseUnavailable } from "./database.ts";

interface Waiting<Tables> {
  run(trx: Kysely<Tables>): Promise<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** Whether the unit is expected to fail now and then, as a refusal does, and so is worth a savepoint. */
  mayFail: boolean;
  sinceMs: number;
}

/** How many units one transaction holds at most, so that a flood does not starve the event loop. */
const maxBatch = 256;
/** For how many turns of the event loop a transaction gathers units at most. */
const maxGatheringTurns = 20;
/** How many units wait at most; past it the service says that it is overloaded instead of growing. */
const maxWaiting = 10_000;
/** A unit that has waited for so long is not begun any more: its client is about to be told to come back. */
const usualMaxWaitMs = 1_500;

interface AroundCommit {
  /** Ends what would read the state from before. */
  beforeCommit(): void;
  /** Resolves once what was committed is on disk. */
  afterCommit(): Promise<void>;
}

/** A unit without a savepoint failed: what it did cannot be told from what the others did. */
class FailedBare extends Error {
  override readonly name = "FailedBare";
}

export class GroupCommit<Tables> {
  readonly #database: DatabaseSync;
  readonly #trx: Kysely<Tables>;
  readonly #around: AroundCommit;
  readonly #maxWaitMs: number;
  readonly #waiting: Waiting<Tables>[] = [];
  #running = false;
  #closed = false;
  #unflushed = 0;
  /** Why nothing can be written any more: what a flush has lost once, no later one brings back. */
  #lost: unknown;

  constructor(database: DatabaseSync, trx: Kysely<Tables>, around: AroundCommit, maxWaitMs = usualMaxWaitMs) {
    this.#database = database;
    this.#maxWaitMs = maxWaitMs;
    this.#trx = trx;
    this.#around = around;
  }

  /**
   * `mayFail: false` promises that the unit fails only as the database itself does; it then costs no savepoint.
   * Should it fail all the same, its transaction is run again with savepoints, so it may be called twice.
   */
  write<Result>(unit: (trx: Kysely<Tables>) => Promise<Result>, { mayFail = true } = {}): Promise<Result> {
    if (this.#closed) return Promise.reject(new DatabaseUnavailable("the database is closed"));
    if (this.#lost !== undefined) return Promise.reject(lostDisk(this.#lost));
    if (this.#waiting.length >= maxWaiting) return Promise.reject(new DatabaseUnavailable("too many writes wait"));
    return new Promise<Result>((resolve, reject) => {
      const sinceMs = performance.now();
      this.#waiting.push({ run: unit, resolve: resolve as (value: unknown) => void, reject, mayFail, sinceMs });
      if (!this.#running) this.#startSoon();
    });
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** How long the oldest unit has waited. */
  get oldestMs(): number {
    const [oldest] = this.#waiting;
    return oldest === undefined ? 0 : performance.now() - oldest.sinceMs;
  }

  /** Takes no more units and resolves once those that wait are done. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#running || this.#unflushed > 0) await nextTurn();
  }

  #startSoon() {
    this.#running = true;
    setImmediate(() => this.#gather(0, 0));
  }

  /**
   * Goes on gathering for as long as each turn of the event loop brings more units. That work has to be done
   * anyway, and done first it shares the flush; a unit that comes alone waits for one turn with nothing in it.
   */
  #gather(turn: number, before: number) {
    const count = this.#waiting.length;
    if (count > before && count < maxBatch && turn < maxGatheringTurns) {
      setImmediate(() => this.#gather(turn + 1, count));
      return;
    }
    this.#refuseLate();
    void this.#commitBatch(this.#waiting.splice(0, maxBatch)).then(() => {
      this.#running = false;
      if (this.#waiting.length > 0) this.#startSoon();
    });
  }

  #refuseLate() {
    while (this.oldestMs > this.#maxWaitMs)
      this.#waiting.shift()?.reject(new DatabaseUnavailable("the database is too slow"));
  }

  async #commitBatch(batch: Waiting<Tables>[], savepoints = false): Promise<void> {
    const acknowledge: (() => void)[] = [];
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      for (const unit of batch) {
        const run = savepoints || unit.mayFail ? this.#runInSavepoint(unit) : this.#runBare(unit);
        acknowledge.push(await run);
      }
      this.#around.beforeCommit();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      if (error instanceof FailedBare) return this.#commitBatch(batch, true);
      for (const unit of batch) unit.reject(new DatabaseUnavailable("the transaction failed", { cause: error }));
      return;
    }
    void this.#acknowledge(batch, acknowledge);
  }

  /** The next transaction need not wait for the flush of this one; whoever is in this one does. */
  async #acknowledge(batch: Waiting<Tables>[], settles: (() => void)[]) {
    this.#unflushed++;
    try {
      await this.#around.afterCommit();
      for (const settle of settles) settle();
    } catch (error) {
      this.#lost = error;
      for (const unit of batch) unit.reject(lostDisk(error));
    } finally {
      this.#unflushed--;
    }
  }

  async #runBare(unit: Waiting<Tables>): Promise<() => void> {
    try {
      const value = await unit.run(this.#trx);
      return () => unit.resolve(value);
    } catch (error) {
      throw this.#database.isTransaction ? new FailedBare() : error;
    }
  }

  /** Runs one unit and says how to settle it once the batch is durable. Throws when the whole transaction is gone. */
  async #runInSavepoint(unit: Waiting<Tables>): Promise<() => void> {
    this.#database.exec("SAVEPOINT unit");
    try {
      const value = await withinThisTurn(() => unit.run(this.#trx));
      this.#database.exec("RELEASE unit");
      return () => unit.resolve(value);
    } catch (error) {
      // A full disk rolls the whole transaction back, not the statement alone: then every unit has failed.
      if (!this.#database.isTransaction) throw error;
      this.#database.exec("ROLLBACK TO unit; RELEASE unit");
      return () => unit.reject(error);
    }
  }
}

function lostDisk(cause: unknown): DatabaseUnavailable {
  return new DatabaseUnavailable("the disk failed to keep a commit; look at the disk, then start again", { cause });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Runs a unit that awaits nothing but the database, which answers without leaving the queue of microtasks.
 *
 * A unit that awaits anything else would keep every other writer waiting for it; that is a bug,
 * and it fails here, after the stray work has ended, rather than under load.
 */
async function withinThisTurn<Result>(work: () => Promise<Result>): Promise<Result> {
  // A tick that is asked for inside a microtask comes once no microtask is left: had the unit come to an end, it
  // would be done by then. A timer or an immediate would come too late, behind I/O that was quick.
  await Promise.resolve();
  let queueRanEmpty = false;
  process.nextTick(() => {
    queueRanEmpty = true;
  });
  const value = await work();
  if (queueRanEmpty) throw new Error("a unit of work awaited something other than its database connection");
  return value;
}
