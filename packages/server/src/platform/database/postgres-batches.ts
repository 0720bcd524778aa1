/**
 * Group commit on PostgreSQL: guarded writes that wait at the same time travel as one statement.
 *
 * Few statements are under way at once, so that under load each of them carries many operations. Two operations
 * on one row never share a statement, nor overtake each other: the later one waits until the earlier is done.
 */
import type { Kysely } from "kysely";
import { DatabaseUnavailable } from "./database.ts";
import type { AnyGuardedWrite, AnyOperation, Done } from "./guarded-write.ts";
import { makeConsequences, runMade, Unwritable } from "./guarded-write-postgres.ts";
import { UnknownCommit } from "./postgres-connection.ts";
import type { Resolver } from "./postgres-resolve.ts";

interface Waiting {
  write: AnyGuardedWrite;
  row: string;
  prepare(): AnyOperation;
  resolve(done: Done): void;
  reject(error: unknown): void;
  sinceMs: number;
}

/** Statements under way at most, which is also how many connections they need. */
export const maxStatements = 2;
const maxBatch = 128;
/** How many operations wait at most; past it the service says that it is overloaded instead of growing. */
const maxWaiting = 10_000;

export class PostgresBatches<Tables> {
  readonly #db: Kysely<Tables>;
  readonly #resolver: Resolver;
  readonly #patienceMs: number;
  #waiting: Waiting[] = [];
  readonly #busyRows = new Set<string>();
  #underWay = 0;
  #startingSoon = false;
  #closed = false;

  /** An operation that has waited for `patienceMs` is not begun any more: its client is about to be told to come back. */
  constructor(db: Kysely<Tables>, resolver: Resolver, patienceMs: number) {
    this.#db = db;
    this.#patienceMs = patienceMs;
    this.#resolver = resolver;
  }

  add(write: AnyGuardedWrite, row: string, prepare: () => AnyOperation): Promise<Done> {
    if (this.#closed) return Promise.reject(new DatabaseUnavailable("the database is closed"));
    if (this.#waiting.length >= maxWaiting) return Promise.reject(new DatabaseUnavailable("too many writes wait"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, row, prepare, resolve, reject, sinceMs: performance.now() });
      this.#startSoon();
    });
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** How long the oldest operation has waited. */
  get oldestMs(): number {
    const [oldest] = this.#waiting;
    return oldest === undefined ? 0 : performance.now() - oldest.sinceMs;
  }

  /** Takes no more operations and resolves once those that wait are done. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#underWay > 0 || this.#waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Also while others wait: it may be for rows that are busy, which are no concern of a new operation's. */
  #startSoon() {
    if (this.#startingSoon) return;
    this.#startingSoon = true;
    setImmediate(() => {
      this.#startingSoon = false;
      this.#startMore();
    });
  }

  #startMore() {
    while (this.#underWay < maxStatements) {
      const batch = this.#take();
      if (batch.length === 0) return;
      this.#underWay++;
      void this.#run(batch).finally(() => {
        this.#underWay--;
        for (const { row } of batch) this.#busyRows.delete(row);
        this.#startMore();
      });
    }
  }

  /** The oldest operation that can be done now, and all others of its kind that can be done with it. */
  #take(): Waiting[] {
    const batch: Waiting[] = [];
    const left: Waiting[] = [];
    const passedOver = new Set<string>();
    const nowMs = performance.now();
    for (const one of this.#waiting) {
      if (nowMs - one.sinceMs > this.#patienceMs) one.reject(new DatabaseUnavailable("the database is too slow"));
      else if (
        batch.length < maxBatch &&
        (batch[0] === undefined || batch[0].write === one.write) &&
        !this.#busyRows.has(one.row) &&
        !passedOver.has(one.row)
      ) {
        batch.push(one);
        // Nobody has no row: operations on it do not meet.
        if (one.row !== "") this.#busyRows.add(one.row);
      } else {
        left.push(one);
        if (one.row !== "") passedOver.add(one.row);
      }
    }
    this.#waiting = left;
    return batch;
  }

  async #run(batch: Waiting[]): Promise<void> {
    try {
      await this.#runTogether(batch);
    } catch (error) {
      // The statement was answered with an error, so nothing of it was kept. One operation may be at fault.
      const isOfOne = !(error instanceof DatabaseUnavailable) || error instanceof Unwritable;
      if (batch.length === 1 || !isOfOne) for (const one of batch) one.reject(error);
      else for (const one of batch) await this.#run([one]);
    }
  }

  async #runTogether(batch: Waiting[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const operations = batch.map(({ prepare }) => prepare());
    const made = operations.map(makeConsequences);
    let done: Done[];
    try {
      done = await runMade(this.#db as never, first.write, operations, made);
    } catch (error) {
      if (!(error instanceof UnknownCommit)) throw error;
      const words = await this.#resolver.wordsOf(first.write, made);
      if (words === undefined) throw error;
      done = words.map((found, op) => ({
        words: found,
        consequences: found.flatMap((word) => made[op]?.get(word) ?? []),
      }));
    }
    for (const [op, one] of batch.entries()) one.resolve(done[op] as Done);
  }
}
