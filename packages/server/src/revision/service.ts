/**
 * The revision: one number that rises with every change of what nodes remember, settings and keys.
 *
 * Each node holds a lease on the number that it read last. While the lease lasts, what it remembers under that
 * number is good, and it asks the database for none of it. Without a fresh lease it answers nothing. So a change
 * holds on every node once the leases from before it have run out, and only then is it acknowledged.
 */
import type { Clock } from "../platform/clock.ts";
import { type Database, DatabaseUnavailable } from "../platform/database/database.ts";
import { withinMs } from "../platform/deadline.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import { getRevision, raiseRevision } from "./store.ts";

export { insertRevision, raiseRevision, touchRevision } from "./store.ts";

/** How long what was read may be relied on, counted from before it was read. */
export const leaseMs = 1_000;
/** From this age on a lease is renewed, beside the call that finds it so. */
const renewAfterMs = 400;
/** Clocks of two machines do not tick quite alike; this is more than they can differ within a lease. */
const marginMs = 50;

/** How often work is begun under a lease before its client is told to come back. */
const maxTries = 5;

/** What is remembered may have changed: nothing is decided by it. */
export class LeaseOver extends DatabaseUnavailable {
  constructor() {
    super("what is remembered of settings and keys is no longer good");
  }
}

interface Dependencies {
  db: Database<Tables>;
  companyId: string;
  clock: Clock;
  /** True unless this process alone serves the database: then nobody else holds a lease. */
  others: boolean;
}

export class RevisionService {
  readonly #with: Dependencies;
  #number = 0;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
  }

  /** The revision under a fresh lease. Throws `DatabaseUnavailable` when the database does not tell. */
  async current(): Promise<number> {
    if (this.ageMs() >= leaseMs) await this.#renew();
    return this.held();
  }

  /** The same for who cannot wait, in the middle of a unit of work. Throws `LeaseOver` when the lease is. */
  held(): number {
    const ageMs = this.ageMs();
    if (ageMs >= leaseMs) throw new LeaseOver();
    if (ageMs >= renewAfterMs) void this.#read().catch(() => undefined);
    return this.#number;
  }

  /**
   * Runs work that looks at what is remembered when its turn has come, which may be long after it was called for.
   * Should a change have come by then, nothing was done, and the work is begun again with what holds now.
   */
  async underLease<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries++) {
      await this.current();
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof LeaseOver) || tries >= maxTries) throw error;
      }
    }
  }

  /** How old what is relied on is. Infinite until something was read. */
  ageMs(): number {
    return this.#with.clock.monotonicMs() - this.#readAtMs;
  }

  /** Counts a change, in the unit of work that makes it. */
  raise(trx: Connection): Promise<void> {
    return raiseRevision(trx, this.#with.companyId);
  }

  /** To be awaited between the commit of a change and its acknowledgement: it then holds on every node. */
  async settle(): Promise<void> {
    const { clock, others } = this.#with;
    // A read that was under way may have begun before the commit.
    await this.#reading?.catch(() => undefined);
    await Promise.all([this.#read(), others ? clock.sleep(leaseMs + marginMs) : undefined]);
  }

  /** An answer that took longer than a lease lasts is none. */
  async #renew(): Promise<void> {
    await this.#read();
    if (this.ageMs() >= leaseMs) throw tooSlow();
  }

  /** Nobody waits longer than a lease lasts: callers are told, and the next one asks on another connection. */
  #read(): Promise<void> {
    this.#reading ??= withinMs(leaseMs, this.#readNow(), tooSlow).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readNow(): Promise<void> {
    const { db, companyId, clock } = this.#with;
    // Before the read, not after it: the number is as old as the question.
    const askedAtMs = clock.monotonicMs();
    const number = await getRevision(db.read, companyId);
    // A late answer, which nobody waits for any more, must not take the place of a newer one.
    if (askedAtMs < this.#readAtMs) return;
    this.#number = number;
    this.#readAtMs = askedAtMs;
  }
}

function tooSlow(): DatabaseUnavailable {
  return new DatabaseUnavailable("the database answers too slowly to hold a lease");
}
