/**
 * The one server that all test files share.
 *
 * Each file runs in a process of its own. `npm test` starts the server before the first of them (global-setup.ts) and
 * names it in `TEST_POSTGRES_URL`; a file that is run by hand starts its own. Set the variable to a superuser's URL to
 * run the tests against a server of your choice.
 */
import type { QueryResultRow } from "pg";
import { cloneDatabase, createDatabase, query, type TestDatabase } from "./databases.ts";
import { startPostgres } from "./server.ts";

/** What can be asked of a server that others use at the same time: everything but to break it. */
export interface SharedPostgres {
  superuserUrl: string;
  query<Row extends QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  createDatabase(name?: string): Promise<TestDatabase>;
  cloneDatabase(template: TestDatabase): Promise<TestDatabase>;
}

let found: Promise<SharedPostgres> | undefined;

/** Nobody stops it: one that this process started ends with this process. Drop your databases. */
export function testPostgres(): Promise<SharedPostgres> {
  found ??= findOrStart();
  return found;
}

async function findOrStart(): Promise<SharedPostgres> {
  const superuserUrl = process.env.TEST_POSTGRES_URL || (await startPostgres()).superuserUrl;
  return {
    superuserUrl,
    query: (sql, values) => query(superuserUrl, sql, values),
    createDatabase: (name) => createDatabase(superuserUrl, name),
    cloneDatabase: (template) => cloneDatabase(superuserUrl, template),
  };
}
