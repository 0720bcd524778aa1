/** What a test does to a database behind the service's back, as the role that owns it. */
import { sql } from "kysely";
import type { Database } from "../platform/database/database.ts";
import type { Tables } from "../schema/tables.ts";

export async function runSql(db: Database<Tables>, text: string): Promise<Record<string, unknown>[]> {
  const { rows } = await db.migrate((connection) => sql.raw<Record<string, unknown>>(text).execute(connection));
  return rows;
}

/** Lets a test spoil the keyring, and puts it back. */
export async function keepingKeys(db: Database<Tables>, spoil: () => Promise<void>): Promise<void> {
  const rows = await db.read.selectFrom("keyring_keys").selectAll().execute();
  await spoil();
  await db.write(async (trx) => {
    await trx.deleteFrom("keyring_keys").execute();
    await trx.insertInto("keyring_keys").values(rows).execute();
  });
}
