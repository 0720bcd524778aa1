import type { Instant } from "../platform/clock.ts";
import type { Connection } from "../schema/tables.ts";

export interface Company {
  id: string;
  name: string;
  /** Scheme and host under which clients reach the service; tokens are made out to it. */
  publicUrl: string;
}

/** The company of this installation; there is one, or none before `init`. */
export function findCompany(db: Connection): Promise<Company | undefined> {
  return db.selectFrom("company").select(["id", "name", "public_url as publicUrl"]).executeTakeFirst();
}

export async function insertCompany(trx: Connection, company: Company, now: Instant): Promise<void> {
  await trx
    .insertInto("company")
    .values({ id: company.id, name: company.name, public_url: company.publicUrl, created_at: now })
    .execute();
}
