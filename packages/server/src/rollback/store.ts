import type { Connection } from "../schema/tables.ts";

export interface RecordPlace {
  sequence: number;
  id: string;
}

/** The newest record; undefined while there is none. */
export function findNewest(db: Connection): Promise<RecordPlace | undefined> {
  return db
    .selectFrom("audit_events")
    .select(["sequence", "id"])
    .orderBy("sequence", "desc")
    .limit(1)
    .executeTakeFirst();
}

/** Whether this very record stands at its place. */
export async function isRecorded(db: Connection, { sequence, id }: RecordPlace): Promise<boolean> {
  const row = await db
    .selectFrom("audit_events")
    .select("id")
    .where("sequence", "=", sequence)
    .where("id", "=", id)
    .executeTakeFirst();
  return row !== undefined;
}

/** Removes every authentication attempt, in whatever state. */
export async function removeAttempts(trx: Connection, companyId: string): Promise<void> {
  await trx.deleteFrom("authn_attempts").where("company_id", "=", companyId).execute();
}

/** Removes what was kept of calls that may be repeated: their answers are of a time that is gone. */
export async function forgetCalls(trx: Connection, companyId: string): Promise<void> {
  await trx.deleteFrom("idempotent_calls").where("company_id", "=", companyId).execute();
}
