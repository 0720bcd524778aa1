import type { Instant } from "../platform/clock.ts";
import { limitLockWait } from "../platform/database/lock-wait.ts";
import { prepared } from "../platform/database/prepared.ts";
import type { Connection, Tables } from "../schema/tables.ts";

/** A call that was done, with its answer. */
export interface StoredCall {
  digest: string;
  requestDigest: string;
  /** Null once it is no longer given. */
  sealed: string | null;
  sealKid: string;
  answerEndsAt: Instant;
  expiresAt: Instant;
}

const table = "idempotent_calls";

/** How long the unit that has the row may still be under way before it is no longer waited for. */
const lockWaitMs = 1_000;

const newCall = prepared((db: Connection, call: StoredCall & { companyId: string; now: Instant }) => {
  const columns = {
    request_digest: call.requestDigest,
    sealed: call.sealed,
    seal_kid: call.sealKid,
    answer_ends_at: call.answerEndsAt,
    expires_at: call.expiresAt,
  };
  return db
    .insertInto(table)
    .values({ company_id: call.companyId, digest: call.digest, ...columns })
    .onConflict((conflict) =>
      conflict
        .columns(["company_id", "digest"])
        .doUpdateSet(columns)
        .where("idempotent_calls.expires_at", "<=", call.now),
    )
    .returning("digest");
});

/**
 * Takes the call's row, if there is none or its time is over, and says whether it did.
 *
 * Of any number of units that try it at once, on any number of nodes, one does; the others wait for its end here
 * and see its row, or take it themselves if it came to nothing. Throws `LockTimeout` when that takes too long.
 */
export async function reserve(trx: Connection, companyId: string, call: StoredCall, now: Instant): Promise<boolean> {
  await limitLockWait(trx, lockWaitMs);
  const rows = await newCall(trx, { companyId, now, ...call });
  return rows.length === 1;
}

/** Gives the row up again, in the unit that took it. */
export async function release(trx: Connection, companyId: string, digest: string): Promise<void> {
  await trx.deleteFrom(table).where("company_id", "=", companyId).where("digest", "=", digest).execute();
}

const callByDigest = prepared((db: Connection, { companyId, digest }: { companyId: string; digest: string }) =>
  db.selectFrom(table).selectAll().where("company_id", "=", companyId).where("digest", "=", digest),
);

export async function findCall(db: Connection, companyId: string, digest: string): Promise<StoredCall | undefined> {
  const [row] = await callByDigest(db, { companyId, digest });
  return row && toCall(row);
}

/** Clears at most `limit` answers that are no longer given; answers how many. */
export async function clearAnswers(trx: Connection, now: Instant, limit: number): Promise<number> {
  const over = trx
    .selectFrom(table)
    .select("digest")
    .where("answer_ends_at", "<=", now)
    .where("sealed", "is not", null)
    .limit(limit);
  const rows = await trx
    .updateTable(table)
    .set({ sealed: null })
    .where("digest", "in", over)
    // The row may have been taken again meanwhile.
    .where("answer_ends_at", "<=", now)
    .returning("digest")
    .execute();
  return rows.length;
}

/** Removes at most `limit` calls whose keys are free again; answers how many. */
export async function removeExpired(trx: Connection, now: Instant, limit: number): Promise<number> {
  const over = trx.selectFrom(table).select("digest").where("expires_at", "<=", now).limit(limit);
  const rows = await trx
    .deleteFrom(table)
    .where("digest", "in", over)
    .where("expires_at", "<=", now)
    .returning("digest")
    .execute();
  return rows.length;
}

function toCall(row: Tables["idempotent_calls"]): StoredCall {
  return {
    digest: row.digest,
    requestDigest: row.request_digest,
    sealed: row.sealed,
    sealKid: row.seal_kid,
    answerEndsAt: row.answer_ends_at,
    expiresAt: row.expires_at,
  };
}
