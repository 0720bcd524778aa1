import { connect } from "../../packages/server/src/testing/postgres/databases.ts";
import type { Filler } from "./population.ts";

/** A column at a time: a statement for thousands of rows then has as many parameters as the table has columns. */
export async function fillPostgres(superuserUrl: string): Promise<Filler> {
  const db = await connect(superuserUrl);
  // No trigger runs in this role, and so no foreign key looks for each row's user.
  await db.query("SET synchronous_commit = off; SET session_replication_role = replica");
  return {
    insert: async (table, columns, rows) => {
      const names = Object.keys(columns);
      const arrays = Object.values(columns).map((type, index) => `$${index + 1}::${type}[]`);
      await db.query(
        `INSERT INTO ${table} (${names}) SELECT * FROM unnest(${arrays})`,
        names.map((_, index) => rows.map((row) => row[index])),
      );
    },
    finish: async () => {
      // What autovacuum would do meanwhile.
      await db.query("VACUUM (ANALYZE) users, login_names, emergency_access");
      await db.end();
    },
  };
}
