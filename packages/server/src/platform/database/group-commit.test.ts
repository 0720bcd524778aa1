import assert from "node:assert/strict";
import { pbkdf2 } from "node:crypto";
import { stat } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { type Kysely, sql } from "kysely";
import { DatabaseUnavailable } from "./database.ts";
import { GroupCommit } from "./group-commit.ts";
import { kyselyOnSqlite } from "./sqlite-driver.ts";

interface Tables {
  note: { text: string };
}

/** A connection that writes down BEGIN, COMMIT and ROLLBACK, and fails where a test says so. */
class WatchedDatabase extends DatabaseSync {
  readonly transactions: string[] = [];
  onCommit: () => void = () => {};

  override exec(text: string) {
    if (/^(BEGIN|COMMIT|ROLLBACK$)/.test(text)) this.transactions.push(text);
    if (text === "COMMIT") this.onCommit();
    super.exec(text);
  }
}

describe("group commit", () => {
  let database: WatchedDatabase;
  let commits: GroupCommit<Tables>;
  let flush: () => Promise<void>;
  const around = { beforeCommit: () => {}, afterCommit: () => flush() };

  beforeEach(() => {
    database = new WatchedDatabase(":memory:");
    database.exec("CREATE TABLE note (text TEXT NOT NULL UNIQUE)");
    flush = async () => {};
    commits = new GroupCommit<Tables>(database, kyselyOnSqlite<Tables>(database), around);
  });
  afterEach(async () => {
    await commits.close();
    database.close();
  });

  const insert = (text: string) => async (trx: Kysely<Tables>) => {
    await trx.insertInto("note").values({ text }).execute();
    return text;
  };
  const notes = () =>
    database
      .prepare("SELECT text FROM note ORDER BY rowid")
      .all()
      .map((row) => row.text);
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i));

  it("commits a hundred units that wait at the same time in one transaction, in their order", async () => {
    const answers = await Promise.all(numbers(100).map((text) => commits.write(insert(text))));
    assert.deepEqual(answers, numbers(100));
    assert.deepEqual(notes(), numbers(100));
    assert.deepEqual(database.transactions, ["BEGIN IMMEDIATE", "COMMIT"]);
  });

  it("control: the same units one at a time take a transaction each", async () => {
    for (const text of numbers(100)) await commits.write(insert(text));
    assert.equal(database.transactions.filter((text) => text === "COMMIT").length, 100);
  });

  it("holds at most 256 units in a transaction", async () => {
    await Promise.all(numbers(600).map((text) => commits.write(insert(text))));
    assert.equal(database.transactions.filter((text) => text === "COMMIT").length, 3);
    assert.deepEqual(notes(), numbers(600));
  });

  it("takes back what a failing unit did, and nothing else", async () => {
    const failing = async (trx: Kysely<Tables>) => {
      await insert("of the failing unit")(trx);
      throw new Error("changed its mind");
    };
    const results = await Promise.allSettled([
      commits.write(insert("before")),
      commits.write(failing),
      commits.write(insert("before")),
      commits.write(insert("after")),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "rejected", "fulfilled"],
    );
    assert.match(String((results[1] as PromiseRejectedResult).reason), /changed its mind/);
    assert.match(String((results[2] as PromiseRejectedResult).reason), /UNIQUE/);
    assert.deepEqual(notes(), ["before", "after"]);
    assert.deepEqual(database.transactions, ["BEGIN IMMEDIATE", "COMMIT"]);
  });

  it("fails a unit that throws before it returns a promise, and nothing else", async () => {
    const failing = (() => {
      throw new Error("at once");
    }) as () => Promise<never>;
    const results = await Promise.allSettled([commits.write(failing), commits.write(insert("other"))]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["rejected", "fulfilled"],
    );
    assert.deepEqual(notes(), ["other"]);
  });

  /** What a unit may not await, the quickest of it included. */
  const strayWork: [string, () => Promise<unknown>][] = [
    ["a timer", () => delay(1)],
    ["a turn of the event loop", () => nextTurn()],
    ["a tick", () => new Promise<void>((resolve) => process.nextTick(resolve))],
    ["the thread pool", () => promisify(pbkdf2)("", "", 1, 1, "sha256")],
    ["the file system", () => stat("/")],
  ];
  for (const [what, stray] of strayWork) {
    it(`fails a unit that awaits ${what} as the bug it is, and leaves nothing of it`, async () => {
      const straying = async (trx: Kysely<Tables>) => {
        await insert("first half")(trx);
        await stray();
        await insert("second half")(trx);
      };
      const results = await Promise.allSettled([
        commits.write(insert("before")),
        commits.write(straying),
        commits.write(insert("after")),
      ]);
      assert.match(String((results[1] as PromiseRejectedResult).reason), /awaited something other than its database/);
      assert.deepEqual(
        results.map(({ status }) => status),
        ["fulfilled", "rejected", "fulfilled"],
      );
      assert.deepEqual(notes(), ["before", "after"]);
    });
  }

  it("acknowledges no unit, and fails none, before the commit that holds it is done", async () => {
    let settled = 0;
    let settledAtCommit: number | undefined;
    database.onCommit = () => {
      settledAtCommit = settled;
    };
    const count = () => {
      settled++;
    };
    const failing = async () => {
      throw new Error("no");
    };
    const units = [...numbers(50).map(insert), failing, ...numbers(99).slice(50).map(insert)];
    await Promise.all(units.map((unit) => commits.write(unit as () => Promise<unknown>).then(count, count)));
    assert.equal(settledAtCommit, 0);
    assert.equal(settled, 100);
  });

  it("fails every unit of a transaction that does not commit, keeps nothing, and goes on", async () => {
    database.onCommit = () => {
      throw new Error("the disk is gone");
    };
    const results = await Promise.allSettled(numbers(20).map((text) => commits.write(insert(text))));
    for (const result of results) {
      assert.ok(result.status === "rejected" && result.reason instanceof DatabaseUnavailable);
    }
    assert.deepEqual(notes(), []);
    database.onCommit = () => {};
    await commits.write(insert("later"));
    assert.deepEqual(notes(), ["later"]);
  });

  it("fails every unit of the transaction that fills the disk, keeps nothing of it, and recovers by itself", async () => {
    await commits.write(insert("kept"));
    const { page_count: pages } = database.prepare("PRAGMA page_count").get() as { page_count: number };
    database.exec(`PRAGMA max_page_count = ${pages + 2}`);
    const large = insert("x".repeat(50_000));
    const results = await Promise.allSettled([insert("a"), large, insert("b")].map((unit) => commits.write(unit)));
    for (const result of results) {
      assert.ok(result.status === "rejected" && result.reason instanceof DatabaseUnavailable);
    }
    assert.deepEqual(notes(), ["kept"]);
    database.exec("PRAGMA max_page_count = 100000");
    await Promise.all([insert("a"), insert("b")].map((unit) => commits.write(unit)));
    assert.deepEqual(notes(), ["kept", "a", "b"]);
  });

  it("refuses what is more than ten thousand waiting units, and still does those", async () => {
    const patient = new GroupCommit<Tables>(database, kyselyOnSqlite<Tables>(database), around, 60_000);
    const answer = async () => "done";
    const waiting = numbers(10_000).map(() => patient.write(answer));
    await assert.rejects(patient.write(answer), DatabaseUnavailable);
    assert.deepEqual([...new Set(await Promise.all(waiting))], ["done"]);
    assert.equal(await patient.write(answer), "done");
  });

  it("does not begin a unit that has waited for longer than its client will", async (t) => {
    let nowMs = 0;
    t.mock.method(performance, "now", () => nowMs);
    const late = commits.write(insert("late"));
    nowMs = 1_600;
    const inTime = commits.write(insert("in time"));
    await assert.rejects(late, DatabaseUnavailable);
    await inTime;
    assert.deepEqual(notes(), ["in time"]);
  });

  it("acknowledges no unit before its commit is on disk, and goes on with the next meanwhile", async () => {
    const flushes: (() => void)[] = [];
    flush = () => new Promise((resolve) => flushes.push(resolve));
    const settled: string[] = [];
    const first = commits.write(insert("first")).then((text) => settled.push(text));
    while (flushes.length < 1) await nextTurn();
    const second = commits.write(insert("second")).then((text) => settled.push(text));
    while (flushes.length < 2) await nextTurn();
    await delay(20);
    assert.deepEqual([notes(), settled], [["first", "second"], []]);
    for (const done of flushes) done();
    await Promise.all([first, second]);
    assert.deepEqual(settled, ["first", "second"]);
  });

  it("fails every unit whose commit the disk did not keep, and takes no more", async () => {
    flush = async () => {
      throw new Error("EIO");
    };
    const results = await Promise.allSettled([commits.write(insert("a")), commits.write(insert("b"))]);
    assert.ok(results.every((result) => result.status === "rejected" && result.reason instanceof DatabaseUnavailable));
    flush = async () => {};
    await assert.rejects(commits.write(insert("c")), DatabaseUnavailable);
  });

  it("finishes what waits when it is closed, and takes nothing more", async () => {
    const waiting = numbers(300).map((text) => commits.write(insert(text)));
    const closed = commits.close();
    await assert.rejects(commits.write(insert("late")), DatabaseUnavailable);
    await closed;
    assert.deepEqual(notes(), numbers(300));
    await Promise.all(waiting);
  });

  it("runs a unit's statements in the unit's place also when they are raw SQL", async () => {
    await commits.write((trx) => sql`INSERT INTO note VALUES ('raw')`.execute(trx));
    assert.deepEqual(notes(), ["raw"]);
  });
});
