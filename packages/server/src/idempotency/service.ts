/**
 * Calls that a client may send again: each is done once, and answered alike for ten minutes.
 *
 * The row that says a call was done and what the call does are one unit of work. So a client that does not know
 * what became of its call (an answer that was lost, a commit that nobody can vouch for, a node that is gone) learns
 * it by sending the call again, to any node.
 */
import type { Keyring, Keys } from "../keyring/service.ts";
import { open, seal } from "../keyring/service.ts";
import { addMs, type Clock } from "../platform/clock.ts";
import { type Database, LockTimeout } from "../platform/database/database.ts";
import type { Random } from "../platform/random.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Call } from "../principal.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import { type CallScope, digestOf, type RepeatableCall, secretsOf } from "./repeatable-call.ts";
import * as store from "./store.ts";

export { type IdempotencyKey, type RepeatableCall, readIdempotencyKey } from "./repeatable-call.ts";

/** How long an answer is given again. */
const answerMs = 10 * 60_000;
/** How much longer the key is refused, rather than its call done a second time. */
const refusedMs = 24 * 60 * 60_000;
const retryAfterSeconds = 1;
/** Rows a transaction, so that nobody waits for a long clean-up. */
const expiredBatch = 1_000;

interface Dependencies {
  db: Database<Tables>;
  companyId: string;
  clock: Clock;
  random: Random;
  keyring: Keyring;
}

/** What a call does. */
export interface Work<Answer> {
  /** Makes all that will be answered, as JSON, before anything is written. */
  prepare(): Promise<PreparedWork<Answer>>;
  /** Writes down that the answer was given once more. */
  recordRepeat(trx: Connection, answer: Answer): Promise<void>;
}

export interface PreparedWork<Answer> {
  answer: Answer;
  /** Does it, with its record. False when it was refused, which has a record of its own. */
  run(trx: Connection): Promise<boolean>;
}

/** A call as its row and its seal know it. */
interface KnownCall {
  repeatable: RepeatableCall;
  scope: CallScope;
  digest: string;
}

export class IdempotencyService {
  readonly #with: Dependencies;
  /** Digests of the calls under way here, so that none of them holds a connection while it waits for another. */
  readonly #underWay = new Set<string>();

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
  }

  /**
   * Does the work, or answers what it answered before; undefined when the work was refused, which is not kept.
   *
   * Refuses with `idempotency_key_reused`, `idempotency_in_progress`, `idempotency_expired`.
   */
  async once<Answer>(call: Call, repeatable: RepeatableCall, work: Work<Answer>): Promise<Answer | undefined> {
    const scope = { companyId: this.#with.companyId, principal: call.principal };
    const digest = digestOf(scope, repeatable);
    if (this.#underWay.has(digest)) throw inProgress();
    this.#underWay.add(digest);
    try {
      return await this.#doOrRepeat({ repeatable, scope, digest }, work);
    } finally {
      this.#underWay.delete(digest);
    }
  }

  /** Frees what is over; it is refused from its end on in any case. */
  async removeExpired(): Promise<void> {
    const { db, clock } = this.#with;
    for (const remove of [store.clearAnswers, store.removeExpired]) {
      let removed = expiredBatch;
      while (removed === expiredBatch) removed = await db.write((trx) => remove(trx, clock.now(), expiredBatch));
    }
  }

  async #doOrRepeat<Answer>(known: KnownCall, work: Work<Answer>): Promise<Answer | undefined> {
    const { db, companyId, keyring } = this.#with;
    const keys = await keyring.fresh();
    const { answer, run } = await work.prepare();
    const row = this.#seal(known, answer, keys);
    const outcome = await db.write(async (trx) => {
      if (!(await this.#reserve(trx, row))) {
        const repeated = this.#open<Answer>(known, await store.findCall(trx, companyId, known.digest), keys);
        await work.recordRepeat(trx, repeated);
        return { repeated };
      }
      if (await run(trx)) return { answer };
      // The refusal stays with its record; the key may be used again.
      await store.release(trx, companyId, known.digest);
      return {};
    });
    if (outcome.repeated !== undefined) known.repeatable.onRepeat();
    return outcome.repeated ?? outcome.answer;
  }

  async #reserve(trx: Connection, row: store.StoredCall): Promise<boolean> {
    const { companyId, clock } = this.#with;
    try {
      return await store.reserve(trx, companyId, row, clock.now());
    } catch (error) {
      throw error instanceof LockTimeout ? inProgress() : error;
    }
  }

  #seal({ repeatable, scope, digest }: KnownCall, answer: unknown, keys: Keys): store.StoredCall {
    const { clock, random } = this.#with;
    const { kid: sealKid, bytes } = keys.current("idempotency_seal");
    const { requestDigest, answerKey } = secretsOf(bytes, scope, repeatable);
    const answerEndsAt = addMs(clock.now(), answerMs);
    const plain = Buffer.from(JSON.stringify(answer));
    const sealed = seal(answerKey, contextOf(digest, answerEndsAt), plain, random);
    return { digest, requestDigest, sealed, sealKid, answerEndsAt, expiresAt: addMs(answerEndsAt, refusedMs) };
  }

  #open<Answer>({ repeatable, scope, digest }: KnownCall, row: store.StoredCall | undefined, keys: Keys): Answer {
    // It was there a moment ago, and has just come to its end.
    if (row === undefined) throw inProgress();
    const key = keys.find("idempotency_seal", row.sealKid);
    if (key === undefined) throw new Refusal("idempotency_expired", { detail: `the key ${row.sealKid} is gone` });
    const { requestDigest, answerKey } = secretsOf(key.bytes, scope, repeatable);
    if (row.requestDigest !== requestDigest) throw new Refusal("idempotency_key_reused");
    if (row.sealed === null || row.answerEndsAt <= this.#with.clock.now()) throw new Refusal("idempotency_expired");
    const plain = open(answerKey, contextOf(digest, row.answerEndsAt), row.sealed);
    return JSON.parse(plain.toString()) as Answer;
  }
}

/** An answer moved to another row, or given a later end, does not open. */
function contextOf(digest: string, answerEndsAt: string): string {
  return JSON.stringify(["idempotent answer/v1", digest, answerEndsAt]);
}

function inProgress(): Refusal {
  return new Refusal("idempotency_in_progress", { retryAfterSeconds });
}
