/** The network that fails on demand, in front of a real PostgreSQL: each fault shows on both of its sides. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { connect, query, type TestDatabase } from "./postgres/databases.ts";
import { testPostgres } from "./postgres/shared.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

let database: TestDatabase;
before(async () => {
  database = await (await testPostgres()).createDatabase();
  await query(database.ownerUrl, "CREATE TABLE kept (id int)");
});
after(() => database?.drop());

const rows = (id: number) => query(database.ownerUrl, "SELECT id FROM kept WHERE id = $1", [id]);

async function throughProxy(t: { after(fn: () => Promise<void>): void }): Promise<[TcpProxy, Client]> {
  const proxy = await startTcpProxy(Number(new URL(database.ownerUrl).port));
  t.after(() => proxy.close());
  return [proxy, await connect(proxy.through(database.ownerUrl))];
}

/** How a lost connection is reported depends on whether it was writing just then. */
const lost = /Connection terminated|ECONNRESET|EPIPE/;
const bounded = { timeout: 30_000 };

test("what is sent arrives, of any size, and ends in order", bounded, async (t) => {
  const [, client] = await throughProxy(t);
  const text = "x".repeat(5_000_000);
  assert.deepEqual((await client.query("SELECT $1 AS text", [text])).rows, [{ text }]);
  await client.end();
});

for (const [verdict, outcome, kept] of [
  ["forward-then-cut", "is committed although the client sees a lost connection", [{ id: 1 }]],
  ["cut", "never reaches the server", []],
] as const) {
  test(`${verdict}: a COMMIT ${outcome}`, bounded, async (t) => {
    await query(database.ownerUrl, "DELETE FROM kept");
    const [proxy, client] = await throughProxy(t);
    await client.query("BEGIN");
    await client.query("INSERT INTO kept VALUES (1)");
    proxy.onClientData = (chunk) => (chunk.includes("COMMIT") ? verdict : "forward");
    await assert.rejects(client.query("COMMIT"), lost);
    assert.deepEqual(await rows(1), kept);
  });
}

for (const bytes of [0, 1, 7]) {
  test(
    `a cut after ${bytes} bytes of a COMMIT: it is none, and the client sees a lost connection`,
    bounded,
    async (t) => {
      await query(database.ownerUrl, "DELETE FROM kept");
      const [proxy, client] = await throughProxy(t);
      await client.query("BEGIN");
      await client.query("INSERT INTO kept VALUES (1)");
      proxy.onClientData = (chunk) => (chunk.includes("COMMIT") ? bytes : "forward");
      await assert.rejects(client.query("COMMIT"), lost);
      assert.deepEqual(await rows(1), []);
    },
  );

  test(
    `a cut after ${bytes} bytes of an answer: what was asked is done, and the client sees a lost connection`,
    bounded,
    async (t) => {
      await query(database.ownerUrl, "DELETE FROM kept");
      const [proxy, client] = await throughProxy(t);
      proxy.onServerData = () => bytes;
      await assert.rejects(client.query("INSERT INTO kept VALUES (1)"), lost);
      assert.deepEqual(await rows(1), [{ id: 1 }]);
    },
  );
}

test(
  "new connections lead to another server once it is named, and open ones stay where they are",
  bounded,
  async (t) => {
    const [proxy, client] = await throughProxy(t);
    const right = proxy.targetPort;
    proxy.targetPort = 1;
    await assert.rejects(query(proxy.through(database.ownerUrl), "SELECT 1"), /./);
    await client.query("SELECT 1");
    proxy.targetPort = right;
    await query(proxy.through(database.ownerUrl), "SELECT 1");
  },
);

test("a cut breaks what is open, and not what comes after", bounded, async (t) => {
  const [proxy, client] = await throughProxy(t);
  const broken = assert.rejects(client.query("SELECT pg_sleep(20)"), lost);
  proxy.cut();
  await broken;
  assert.deepEqual(await query(proxy.through(database.ownerUrl), "SELECT 1 AS one"), [{ one: 1 }]);
});

test("while held, nothing is delivered; after the release, everything is", bounded, async (t) => {
  const [proxy, client] = await throughProxy(t);
  proxy.hold();
  const insert = client.query("INSERT INTO kept VALUES (3)");
  await sleep(100);
  assert.deepEqual(await rows(3), []);
  proxy.release();
  await insert;
  assert.deepEqual(await rows(3), [{ id: 3 }]);
  await client.end();
});

test("a delay holds back both the question and the answer", bounded, async (t) => {
  const [proxy, client] = await throughProxy(t);
  proxy.delay(50);
  const startedAt = performance.now();
  await client.query("SELECT 1");
  const tookMs = performance.now() - startedAt;
  assert(tookMs >= 98, `${tookMs} ms`);
  proxy.delay(0);
  await client.end();
});

test("a server that is not there is a connection that breaks off", bounded, async (t) => {
  const [gone] = await throughProxy(t);
  const proxy = await startTcpProxy(gone.port);
  t.after(() => proxy.close());
  await gone.close();
  await assert.rejects(connect(proxy.through(database.ownerUrl)), lost);
});
