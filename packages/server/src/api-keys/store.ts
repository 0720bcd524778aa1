import type { Role } from "@sparekey/contract";
import type { Instant } from "../platform/clock.ts";
import { lookup } from "../platform/database/lookup.ts";
import type { Connection } from "../schema/tables.ts";

export interface ApiKey {
  /** The access ID. */
  id: string;
  role: Role;
  /** SPKI, PEM. */
  publicKey: string;
  description: string;
  createdAt: Instant;
}

const columns = ["id", "role", "public_key as publicKey", "description", "created_at as createdAt"] as const;

const keyById = lookup((db: Connection, { companyId, id }: { companyId: string; id: string }) =>
  db.selectFrom("api_keys").select(columns).where("company_id", "=", companyId).where("id", "=", id),
);

export async function findApiKey(db: Connection, companyId: string, id: string): Promise<ApiKey | undefined> {
  const [key] = await keyById(db, { companyId, id });
  return key;
}

export function listApiKeys(db: Connection, companyId: string): Promise<ApiKey[]> {
  return db.selectFrom("api_keys").select(columns).where("company_id", "=", companyId).orderBy("created_at").execute();
}

/** Inserts the key unless the company already has `limit` of them; answers whether it did. */
export async function insertApiKey(trx: Connection, companyId: string, key: ApiKey, limit: number): Promise<boolean> {
  const rows = await trx
    .insertInto("api_keys")
    .columns(["id", "company_id", "role", "public_key", "description", "created_at"])
    .expression(
      trx
        .selectNoFrom((eb) => [
          eb.val(key.id).as("id"),
          eb.val(companyId).as("company_id"),
          eb.val(key.role).as("role"),
          eb.val(key.publicKey).as("public_key"),
          eb.val(key.description).as("description"),
          eb.val(key.createdAt).as("created_at"),
        ])
        .where(
          trx
            .selectFrom("api_keys")
            .select((eb) => eb.fn.countAll<number>().as("count"))
            .where("company_id", "=", companyId),
          "<",
          limit,
        ),
    )
    .returning("id")
    .execute();
  return rows.length === 1;
}

export async function deleteApiKey(trx: Connection, companyId: string, id: string): Promise<boolean> {
  const row = await trx
    .deleteFrom("api_keys")
    .where("company_id", "=", companyId)
    .where("id", "=", id)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}
