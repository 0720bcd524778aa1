import { connect } from "../../packages/server/src/testing/postgres/databases.ts";
import type { Filler } from "./population.ts";

/** A column at a time: a statement for thousands of rows then has as many parameters as the table has columns. */
export async function fillPostgres(ownerUrl: string): Promise<Filler> {
  const db = await connect(ownerUrl);
  await db.query("SET synchronous_commit = off");
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
