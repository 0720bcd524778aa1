/** What the driver makes of servers that crash, of standbys, and of commits that stop waiting for them. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { add, makeNotes, type NoteTables, openNotes, textOf } from "../../testing/note-database.ts";
import type { TestDatabase } from "../../testing/postgres/databases.ts";
import { type PostgresPair, startPair } from "../../testing/postgres/pair.ts";
import { startTcpProxy, type TcpProxy } from "../../testing/tcp-proxy.ts";
import { type Database, DatabaseUnavailable } from "./database.ts";

const bounded = { timeout: 180_000 };

describe("a PostgreSQL with a synchronous standby", bounded, () => {
  let pair: PostgresPair;
  let proxy: TcpProxy;
  let database: TestDatabase;
  let db: Database<NoteTables>;

  before(async () => {
    pair = await startPair();
    proxy = await startTcpProxy(pair.primary.port);
  });
  after(async () => {
    await proxy?.close();
    await pair?.stop();
  });
  beforeEach(async () => {
    proxy.targetPort = pair.primary.port;
    database = await pair.primary.createDatabase();
    await makeNotes(database, ["a", "b"]);
    db = openNotes(proxy.through(database.appUrl));
    await add(db, "a", "before,");
    await insertEvent("before");
  });
  afterEach(() => db.close());

  const insertEvent = (id: string) =>
    db.write((trx) => trx.insertInto("event").values({ id, note_id: "a", text: id }).execute());
  const isThere = async (id: string) =>
    (await db.read.selectFrom("event").select("id").where("id", "=", id).execute()).length > 0;

  /** Ends every wait of a commit for its standby, also those of who asks what became of it, until these writes are over. */
  async function stopWaiting<Result>(how: "cancel" | "terminate", writes: Promise<Result>): Promise<Result> {
    let isOver = false;
    const over = writes.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      await stopOnce(how);
      await delay(20);
    }
    return over;
  }

  function stopOnce(how: "cancel" | "terminate") {
    return pair.primary.query(
      `SELECT pg_${how}_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = $1`,
      [database.name],
    );
  }

  it("takes nothing while it is down, and everything again afterwards", async () => {
    await pair.primary.kill9();
    for (const attempt of [() => add(db, "a", "lost"), () => insertEvent("lost"), () => db.timeMs()]) {
      await assert.rejects(attempt, DatabaseUnavailable);
    }
    await pair.primary.start();
    await pair.reconnectStandby();
    assert.deepEqual(await add(db, "a", "after"), ["done"]);
    await insertEvent("after");
    assert.equal(await textOf(database, "a"), "before,after");
  });

  it("takes no write where a standby answers, and its successor is found without anybody's help", async () => {
    proxy.targetPort = pair.standby.port;
    proxy.cut();
    for (const attempt of [() => add(db, "a", "x"), () => insertEvent("x")]) {
      await assert.rejects(attempt, DatabaseUnavailable);
    }
    proxy.targetPort = pair.primary.port;
    const results: string[] = [];
    for (let tries = 0; tries < 8; tries++)
      results.push(
        await insertEvent(`try ${tries}`).then(
          () => "kept",
          () => "no",
        ),
      );
    assert.ok(results.includes("kept"), "connections to a standby are kept for good");
    assert.deepEqual(await add(db, "a", "after"), ["done"]);
  });

  for (const how of ["cancel", "terminate"] as const) {
    it(`acknowledges no write whose wait for the standby was ended by ${how}, and no one that finds it`, async () => {
      await pair.disconnectStandby();
      const results = await stopWaiting(how, Promise.allSettled([add(db, "a", "unsure"), insertEvent("unsure")]));
      await pair.reconnectStandby();
      for (const result of results) {
        assert.ok(result.status === "rejected" && result.reason instanceof DatabaseUnavailable, JSON.stringify(result));
      }
      // It was kept all the same: only nobody could say that it would outlive the machine.
      assert.equal(await textOf(database, "a"), "before,unsure");
      assert.ok(await isThere("unsure"));
    });

    it(`acknowledges a write whose wait was ended by ${how} once the standby has it after all`, async () => {
      // How long the driver asks is bounded, and a busy machine may take longer to wake the standby up.
      for (let tries = 1; ; tries++) {
        await pair.standby.pause();
        const writes = Promise.allSettled([add(db, "b", "late,"), insertEvent(`late ${tries}`)]);
        await delay(300);
        await stopOnce(how);
        await pair.standby.resume();
        const results = await writes;
        await pair.standbyCaughtUp();
        const text = await textOf(pair.standby.sameDatabase(database), "b");
        assert.equal(text, "late,".repeat(tries));
        if (results.every(({ status }) => status === "fulfilled")) return;
        assert.ok(tries < 10, "never acknowledged");
      }
    });
  }

  it("counts its standby, as the role that serves, and notices when it is lost", async () => {
    assert.equal(await db.synchronousStandbys(), 1);
    await pair.disconnectStandby();
    assert.equal(await db.synchronousStandbys(), 0);
    await pair.reconnectStandby();
    assert.equal(await db.synchronousStandbys(), 1);
  });

  it("keeps what was acknowledged when its standby takes over", async () => {
    const acknowledged: string[] = [];
    let isOver = false;
    const load = Array.from({ length: 4 }, async (_, worker) => {
      for (let n = 0; !isOver; n++) {
        const id = `${worker}-${n}`;
        await insertEvent(id).then(
          () => acknowledged.push(id),
          () => delay(20),
        );
      }
    });
    await delay(300);
    await pair.primary.kill9();
    const successor = await pair.promote();
    proxy.targetPort = successor.port;
    await pair.renewStandby();
    await delay(500);
    isOver = true;
    await Promise.all(load);
    const there = new Set((await db.read.selectFrom("event").select("id").execute()).map(({ id }) => id));
    assert.ok(acknowledged.length > 20);
    assert.deepEqual(
      acknowledged.filter((id) => !there.has(id)),
      [],
    );
    assert.deepEqual(await add(db, "a", "after"), ["done"]);
  });
});
