/** The SQL that passes between the app and its database, without the values. */
import { type Kysely, type KyselyPlugin, SqliteQueryCompiler } from "kysely";
import type { Database } from "../platform/database/database.ts";
import type { Tables } from "../schema/tables.ts";

export interface StatementLog {
  /** For `startInstallation({ watch })`. */
  watch(db: Database<Tables>): Database<Tables>;
  /** What has passed since the last call: `read SELECT …` or `write UPDATE …`. */
  take(): string[];
}

export function createStatementLog(): StatementLog {
  let statements: string[] = [];
  const writingDown = (connection: "read" | "write"): KyselyPlugin => ({
    transformQuery: ({ node, queryId }) => {
      statements.push(`${connection} ${new SqliteQueryCompiler().compileQuery(node, queryId).sql}`);
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const [reading, writing] = [writingDown("read"), writingDown("write")];
  return {
    watch: (db) => ({
      ...db,
      read: db.read.withPlugin(reading),
      write: (unit) => db.write((trx: Kysely<Tables>) => unit(trx.withPlugin(writing))),
    }),
    take: () => {
      const taken = statements;
      statements = [];
      return taken;
    },
  };
}
