import { closeSync, fsyncSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Filler } from "./population.ts";

/** One transaction without a journal: a file that is half full is thrown away. */
export function fillSqlite(path: string): Filler {
  const db = new DatabaseSync(path);
  db.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; BEGIN");
  return {
    insert: async (table, columns, rows) => {
      const names = Object.keys(columns);
      const statement = db.prepare(`INSERT INTO ${table} (${names}) VALUES (${names.map(() => "?")})`);
      for (const row of rows) statement.run(...row);
    },
    finish: async () => {
      db.exec("COMMIT; PRAGMA journal_mode = WAL");
      db.close();
      // Or the first commit of the service would flush it all.
      const file = openSync(path, "r+");
      fsyncSync(file);
      closeSync(file);
    },
  };
}
