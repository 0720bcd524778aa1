import assert from "node:assert/strict";
import { test } from "node:test";
import { testPostgres } from "./shared.ts";

test("every test file gets a server: the one of `npm test`, or its own", { timeout: 60_000 }, async (t) => {
  const given = process.env.TEST_POSTGRES_URL;
  const server = await testPostgres();
  assert.equal(server.superuserUrl, given ?? server.superuserUrl);
  assert.equal(await testPostgres(), server, "one for the process");
  const database = await server.createDatabase();
  t.after(database.drop);
  assert.deepEqual(await server.query("SELECT datname FROM pg_database WHERE datname = $1", [database.name]), [
    { datname: database.name },
  ]);
});
