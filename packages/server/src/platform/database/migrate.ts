/** Migrations: numbered, forward only, each one whole or not at all. */
import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";

/** Migrations by their number and name; the order of the names is the order of work. */
export type Migrations = Record<string, Migration>;

/** Where Kysely writes down what has run. */
interface MigrationTable {
  kysely_migration: { name: string };
}

/** Brings the schema up to date and answers the names of the migrations that ran. */
export async function migrateToLatest<Tables>(db: Kysely<Tables>, migrations: Migrations): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) throw error instanceof Error ? error : new Error(String(error));
  return (results ?? []).map((result) => result.migrationName);
}

/** What has yet to run, and what ran that this version does not know. */
export async function pendingMigrations<Tables>(
  db: Kysely<Tables>,
  migrations: Migrations,
): Promise<{ pending: string[]; unknown: string[] }> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  const done = tables.some((table) => table.name === "kysely_migration")
    ? await (db as unknown as Kysely<MigrationTable>).selectFrom("kysely_migration").select("name").execute()
    : [];
  const ran = new Set(done.map((row) => row.name));
  return {
    pending: Object.keys(migrations).filter((name) => !ran.has(name)),
    unknown: [...ran].filter((name) => !(name in migrations)),
  };
}
