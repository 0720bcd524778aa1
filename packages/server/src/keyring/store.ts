import type { Instant } from "../platform/clock.ts";
import type { Connection } from "../schema/tables.ts";

export interface WrappedKey {
  kid: string;
  purpose: string;
  wrapped: string;
  activeAt: Instant;
  retiredAt: Instant | null;
}

export async function insertKey(
  trx: Connection,
  companyId: string,
  key: Omit<WrappedKey, "retiredAt">,
  now: Instant,
): Promise<void> {
  const { kid, purpose, wrapped, activeAt } = key;
  await trx
    .insertInto("keyring_keys")
    .values({
      ...{ kid, purpose, wrapped, company_id: companyId },
      ...{ created_at: now, active_at: activeAt, retired_at: null },
    })
    .execute();
}

/** All keys of the company, retired ones too, oldest first. */
export function listKeys(db: Connection, companyId: string): Promise<WrappedKey[]> {
  return db
    .selectFrom("keyring_keys")
    .select(["kid", "purpose", "wrapped", "active_at as activeAt", "retired_at as retiredAt"])
    .where("company_id", "=", companyId)
    .orderBy("active_at")
    .orderBy("kid")
    .execute();
}

interface Retirement {
  purpose: string;
  /** The key that takes over. */
  newKid: string;
  retiredAt: Instant;
}

/** Ends every other key of the purpose, unless it ends earlier anyway; answers which. */
export async function retireOtherKeys(
  trx: Connection,
  companyId: string,
  { purpose, newKid, retiredAt }: Retirement,
): Promise<string[]> {
  const rows = await trx
    .updateTable("keyring_keys")
    .set({ retired_at: retiredAt })
    .where("company_id", "=", companyId)
    .where("purpose", "=", purpose)
    .where("kid", "!=", newKid)
    .where((eb) => eb.or([eb("retired_at", "is", null), eb("retired_at", ">", retiredAt)]))
    .returning("kid")
    .execute();
  return rows.map((row) => row.kid).sort();
}

/** Puts a key under another wrapping if it still is under the one that was read; answers whether it did. */
export async function rewrapKey(
  trx: Connection,
  companyId: string,
  { kid, wrapped, rewrapped }: { kid: string; wrapped: string; rewrapped: string },
): Promise<boolean> {
  const rows = await trx
    .updateTable("keyring_keys")
    .set({ wrapped: rewrapped })
    .where("company_id", "=", companyId)
    .where("kid", "=", kid)
    .where("wrapped", "=", wrapped)
    .returning("kid")
    .execute();
  return rows.length === 1;
}
