import type { Instant } from "../platform/clock.ts";
import { prepared } from "../platform/database/prepared.ts";
import type { Connection } from "../schema/tables.ts";

export interface StoredSettings {
  version: number;
  /** JSON. */
  value: string;
}

export async function insertSettings(trx: Connection, companyId: string, value: string, now: Instant): Promise<void> {
  await trx.insertInto("settings").values({ company_id: companyId, version: 1, value, updated_at: now }).execute();
}

const settingsOfCompany = prepared((db: Connection, { companyId }: { companyId: string }) =>
  db.selectFrom("settings").select(["version", "value"]).where("company_id", "=", companyId),
);

export async function getSettings(db: Connection, companyId: string): Promise<StoredSettings> {
  const [settings] = await settingsOfCompany(db, { companyId });
  if (settings === undefined) throw new Error(`company ${companyId} has no settings`);
  return settings;
}

/** Replaces the settings if they still are at `version`; answers the new version, or undefined when they are not. */
export async function replaceSettings(
  trx: Connection,
  companyId: string,
  { version, value }: StoredSettings,
  now: Instant,
): Promise<number | undefined> {
  const row = await trx
    .updateTable("settings")
    .set({ version: version + 1, value, updated_at: now })
    .where("company_id", "=", companyId)
    .where("version", "=", version)
    .returning("version")
    .executeTakeFirst();
  return row?.version;
}
