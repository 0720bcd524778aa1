/** The databases of tests that run on PostgreSQL: made once a process, then cloned. */
import { migrateAsOwner } from "../commands/migrate.ts";
import type { Database } from "../platform/database/database.ts";
import { openPostgres } from "../platform/database/postgres.ts";
import type { Tables } from "../schema/tables.ts";
import type { TestDatabase } from "./postgres/databases.ts";
import { testPostgres } from "./postgres/shared.ts";

let template: Promise<TestDatabase> | undefined;

/** An empty database with the schema, and with the two roles of a real installation. */
export async function clonePostgres(): Promise<TestDatabase> {
  const server = await testPostgres();
  template ??= makeTemplate();
  return server.cloneDatabase(await template);
}

/** As the application's role, which may not change the schema or the record; `migrate` is as the owner. */
export function openClone(
  { ownerUrl, appUrl }: Pick<TestDatabase, "ownerUrl" | "appUrl">,
  options: { patienceMs: number },
): Database<Tables> {
  const db = openPostgres<Tables>(appUrl, options);
  const owner = openPostgres<Tables>(ownerUrl);
  return {
    ...db,
    migrate: (work) => owner.migrate(work),
    close: async () => {
      await Promise.all([db.close(), owner.close()]);
    },
  };
}

async function makeTemplate(): Promise<TestDatabase> {
  const server = await testPostgres();
  const made = await server.createDatabase();
  const owner = openPostgres<Tables>(made.ownerUrl);
  await migrateAsOwner(owner, { databaseUrl: made.appUrl, databaseOwnerUrl: made.ownerUrl });
  await owner.close();
  process.on("beforeExit", () => {
    void template?.then((database) => database.drop());
    template = undefined;
  });
  return made;
}
