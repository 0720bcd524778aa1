import type { Instant } from "../platform/clock.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import type { SealedSubject } from "./subject.ts";

/** An authentication attempt: a conversation between one client and the server about one user. */
export interface Attempt {
  id: string;
  authnKeyId: string;
  /** Who it is about. */
  subject: SealedSubject;
  messageId: string;
  state: "open" | "succeeded" | "failed";
  tries: number;
  timeoutSeconds: number;
  keep: boolean;
  expiresAt: Instant;
}

const table = "authn_attempts";

export async function insertAttempt(trx: Connection, companyId: string, attempt: Attempt): Promise<void> {
  await trx
    .insertInto(table)
    .values({
      id: attempt.id,
      company_id: companyId,
      authn_key_id: attempt.authnKeyId,
      sealed: attempt.subject.sealed,
      seal_kid: attempt.subject.kid,
      message_id: attempt.messageId,
      state: attempt.state,
      tries: attempt.tries,
      timeout_seconds: attempt.timeoutSeconds,
      keep: attempt.keep ? 1 : 0,
      expires_at: attempt.expiresAt,
    })
    .execute();
}

/** The attempt if it is this key's and has not ended by itself. */
export async function findAttempt(
  db: Connection,
  id: string,
  authnKeyId: string,
  now: Instant,
): Promise<Attempt | undefined> {
  const row = await db
    .selectFrom(table)
    .selectAll()
    .where("id", "=", id)
    .where("authn_key_id", "=", authnKeyId)
    .where("expires_at", ">", now)
    .executeTakeFirst();
  return row && toAttempt(row);
}

export interface Turn {
  id: string;
  authnKeyId: string;
  /** The server's message that the request answers. */
  inResponseTo: string;
  nextMessageId: string;
  now: Instant;
  expiresAt: Instant;
}

/**
 * Takes the next turn of an open attempt, which counts as a try of it; answers the tries so far.
 *
 * Undefined when the request does not answer the latest message: of any number of requests that
 * answer the same message, one takes the turn.
 */
export async function takeTurn(trx: Connection, turn: Turn): Promise<number | undefined> {
  const row = await trx
    .updateTable(table)
    .set((eb) => ({ message_id: turn.nextMessageId, tries: eb("tries", "+", 1), expires_at: turn.expiresAt }))
    .where("id", "=", turn.id)
    .where("authn_key_id", "=", turn.authnKeyId)
    .where("message_id", "=", turn.inResponseTo)
    .where("state", "=", "open")
    .where("expires_at", ">", turn.now)
    .returning("tries")
    .executeTakeFirst();
  return row?.tries;
}

export async function finishAttempt(trx: Connection, id: string, state: Attempt["state"]): Promise<void> {
  await trx.updateTable(table).set({ state }).where("id", "=", id).execute();
}

/** Removes the attempt and answers it; with `finishedOnly` an open one stays. */
export async function removeAttempt(
  trx: Connection,
  id: string,
  authnKeyId: string,
  { now, finishedOnly }: { now: Instant; finishedOnly: boolean },
): Promise<Attempt | undefined> {
  let query = trx
    .deleteFrom(table)
    .where("id", "=", id)
    .where("authn_key_id", "=", authnKeyId)
    .where("expires_at", ">", now);
  if (finishedOnly) query = query.where("state", "!=", "open");
  const row = await query.returningAll().executeTakeFirst();
  return row && toAttempt(row);
}

/** Removes at most `limit` attempts that ended by themselves; answers how many. */
export async function removeExpired(trx: Connection, now: Instant, limit: number): Promise<number> {
  const rows = await trx
    .deleteFrom(table)
    .where("id", "in", trx.selectFrom(table).select("id").where("expires_at", "<=", now).limit(limit))
    .returning("id")
    .execute();
  return rows.length;
}

function toAttempt(row: Tables["authn_attempts"]): Attempt {
  return {
    id: row.id,
    authnKeyId: row.authn_key_id,
    subject: { sealed: row.sealed, kid: row.seal_kid },
    messageId: row.message_id,
    state: row.state,
    tries: row.tries,
    timeoutSeconds: row.timeout_seconds,
    keep: row.keep === 1,
    expiresAt: row.expires_at,
  };
}
