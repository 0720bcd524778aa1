/** Two servers that hold the same: what was acknowledged is on both, and outlives either. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect, query, type TestDatabase } from "./databases.ts";
import { type PostgresPair, startPair } from "./pair.ts";

let pair: PostgresPair;
let database: TestDatabase;
before(async () => {
  pair = await startPair();
  database = await pair.primary.createDatabase();
  await query(database.ownerUrl, "CREATE TABLE kept (id int)");
});
after(() => pair?.stop());

const bounded = { timeout: 60_000 };
const insert = (id: number) => query(database.ownerUrl, "INSERT INTO kept VALUES ($1)", [id]);
const ids = async (url: string) =>
  (await query<{ id: number }>(url, "SELECT id FROM kept ORDER BY id")).map(({ id }) => id);
const nothingFor = (ms: number) => sleep(ms, "nothing");

test("the application role sees whether the standby is synchronous", bounded, async () => {
  const sql = "SELECT application_name, sync_state FROM pg_stat_replication";
  assert.deepEqual(await query(database.appUrl, sql), [{ application_name: "standby1", sync_state: "sync" }]);
});

test("the standby has what was committed, and takes no writes", bounded, async () => {
  await insert(1);
  const copy = pair.standby.sameDatabase(database);
  await pair.standbyCaughtUp();
  assert.deepEqual(await ids(copy.ownerUrl), [1]);
  await assert.rejects(query(copy.ownerUrl, "INSERT INTO kept VALUES (0)"), { code: "25006" });
});

for (const [id, fault, begin, end] of [
  [2, "is disconnected", () => pair.disconnectStandby(), () => pair.reconnectStandby()],
  [3, "hangs", () => pair.standby.pause(), () => pair.standby.resume()],
] as const) {
  test(`while the standby ${fault}, a commit waits, and goes through afterwards`, bounded, async () => {
    await begin();
    const commit = insert(id);
    const first = await Promise.race([commit, nothingFor(300)]);
    await end();
    assert.equal(first, "nothing");
    await commit;
    assert((await ids(database.ownerUrl)).includes(id));
  });
}

test("a promoted standby acknowledges nothing until it has a standby itself", bounded, async () => {
  await pair.primary.kill9();
  await pair.promote();
  database = pair.primary.sameDatabase(database);
  const commit = insert(4);
  const first = await Promise.race([commit, nothingFor(300)]);
  await pair.renewStandby();
  assert.equal(first, "nothing");
  await commit;
  assert.deepEqual(await ids(database.ownerUrl), [1, 2, 3, 4]);
});

test("through one failover after the other, every acknowledged row is kept", bounded, async (t) => {
  for (let round = 10; round < 13; round += 1) {
    const open = await connect(database.ownerUrl);
    await open.query("INSERT INTO kept VALUES ($1)", [round]);
    const startedAt = performance.now();
    database = (await pair.failOver()).sameDatabase(database);
    const took = (performance.now() - startedAt).toFixed(0);
    t.diagnostic(`PostgreSQL ${pair.primary.version}: failed over in ${took} ms`);
    await assert.rejects(open.query("SELECT 1"));
  }
  assert.deepEqual(await ids(database.ownerUrl), [1, 2, 3, 4, 10, 11, 12]);
});
