import type { Instant } from "../platform/clock.ts";
import { lookup } from "../platform/database/lookup.ts";
import type { Connection } from "../schema/tables.ts";

export interface AuthnKey {
  id: string;
  name: string;
  createdAt: Instant;
}

const columns = ["id", "name", "created_at as createdAt"] as const;

const keyByDigest = lookup((db: Connection, { companyId, digest }: { companyId: string; digest: string }) =>
  db.selectFrom("authn_keys").select(columns).where("company_id", "=", companyId).where("digest", "=", digest),
);

export async function findAuthnKey(db: Connection, companyId: string, digest: string): Promise<AuthnKey | undefined> {
  const [key] = await keyByDigest(db, { companyId, digest });
  return key;
}

export function listAuthnKeys(db: Connection, companyId: string): Promise<AuthnKey[]> {
  return db
    .selectFrom("authn_keys")
    .select(columns)
    .where("company_id", "=", companyId)
    .orderBy("created_at")
    .execute();
}

export async function insertAuthnKey(
  trx: Connection,
  companyId: string,
  key: AuthnKey & { digest: string },
): Promise<void> {
  await trx
    .insertInto("authn_keys")
    .values({ id: key.id, company_id: companyId, name: key.name, digest: key.digest, created_at: key.createdAt })
    .execute();
}

export async function deleteAuthnKey(trx: Connection, companyId: string, id: string): Promise<boolean> {
  const row = await trx
    .deleteFrom("authn_keys")
    .where("company_id", "=", companyId)
    .where("id", "=", id)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}
