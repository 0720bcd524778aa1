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
    const ageMs = this.ageMs();
    if (ageMs >= leaseMs) await this.#renew();
    else if (ageMs >= renewAfterMs) void this.#read().catch(() => undefined);
    return this.#number;
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
