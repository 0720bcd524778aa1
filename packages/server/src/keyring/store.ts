import type { Instant } from "../platform/clock.ts";
import type { Connection } from "../schema/tables.ts";

export interface WrappedKey {
  kid: string;
  purpose: string;
  wrapped: string;
}

export async function insertKey(trx: Connection, companyId: string, key: WrappedKey, now: Instant): Promise<void> {
  await trx
    .insertInto("keyring_keys")
    .values({ ...key, company_id: companyId, created_at: now, active_at: now, retired_at: null })
    .execute();
}

/** All keys of the company, oldest first. */
export function listKeys(db: Connection, companyId: string): Promise<WrappedKey[]> {
  return db
    .selectFrom("keyring_keys")
    .select(["kid", "purpose", "wrapped"])
    .where("company_id", "=", companyId)
    .orderBy("created_at")
    .execute();
}
