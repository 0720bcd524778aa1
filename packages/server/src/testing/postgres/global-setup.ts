/** Run by `node --test` in its own process, before the first test file and after the last one. */
import { type PostgresServer, startPostgres } from "./server.ts";

let server: PostgresServer | undefined;

export async function globalSetup() {
  if (process.env.TEST_POSTGRES_URL) return;
  server = await startPostgres();
  // The test files' processes inherit it.
  process.env.TEST_POSTGRES_URL = server.superuserUrl;
}

export async function globalTeardown() {
  await server?.stop();
}
