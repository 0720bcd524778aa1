import { sql } from "kysely";
import type { Instant } from "../platform/clock.ts";
import type { Connection } from "../schema/tables.ts";

/**
 * Ends every code that is active; answers how many of them were live.
 *
 * Codes that have expired end too, since expiry depends on a clock, and clocks go back as databases do. They are
 * not counted: nobody misses them. Each statement is guarded by itself, so a code that is issued in between stays.
 *
 * The company is compared as an expression on purpose. By the primary key the rows would be visited in the order of
 * the users' ids, page after page at random, and a million rows would take minutes in which nobody else can write.
 */
export async function voidAllCodes(trx: Connection, companyId: string, now: Instant): Promise<number> {
  const active = trx
    .updateTable("emergency_access")
    .set({ status: "revoked" })
    .where(sql`company_id || ''`, "=", companyId)
    .where("status", "=", "active");
  const { numUpdatedRows: live } = await active.where("expires_at", ">", now).executeTakeFirstOrThrow();
  await active.where("expires_at", "<=", now).execute();
  return Number(live);
}
