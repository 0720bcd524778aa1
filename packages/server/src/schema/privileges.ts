/** What the serving role may do on PostgreSQL: everything it needs, and to the record nothing but add to it. */
import { type Kysely, sql } from "kysely";
import { recordColumns } from "./tables.ts";

const recordTables = Object.keys(recordColumns);
/** Kysely's notes of what has run: read by a node that waits for the schema. */
const migrationTables = ["kysely_migration", "kysely_migration_lock"];

/** Grants `role` its privileges on every table there is. To be run by the owner after each migration. */
export async function grantPrivileges<Tables>(owner: Kysely<Tables>, role: string): Promise<void> {
  const tables = await owner.introspection.getTables({ withInternalKyselyTables: true });
  await sql`GRANT USAGE ON SCHEMA public TO ${sql.id(role)}`.execute(owner);
  for (const { name } of tables) {
    const privileges = privilegesOn(name);
    await sql`REVOKE ALL ON ${sql.table(name)} FROM ${sql.id(role)}`.execute(owner);
    await sql`GRANT ${sql.raw(privileges)} ON ${sql.table(name)} TO ${sql.id(role)}`.execute(owner);
  }
}

/** True when the role could rewrite the record, because it owns it or is a superuser. */
export async function mayRewriteRecord<Tables>(db: Kysely<Tables>): Promise<boolean> {
  const { rows } = await sql<{ may: boolean }>`SELECT bool_or(
    has_table_privilege(name, 'UPDATE') OR has_table_privilege(name, 'DELETE')) AS may
    FROM unnest(${recordTables}::text[]) AS name`.execute(db);
  return rows[0]?.may ?? false;
}

function privilegesOn(table: string): string {
  if (recordTables.includes(table)) return "SELECT, INSERT";
  return migrationTables.includes(table) ? "SELECT" : "SELECT, INSERT, UPDATE, DELETE";
}
