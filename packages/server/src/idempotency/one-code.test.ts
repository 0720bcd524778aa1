import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sql } from "kysely";
import type { IssuedCode } from "../emergency-codes/service.ts";
import { Refusal } from "../platform/refusal.ts";
import { type Node, type Nodes, startNodes, withoutPostgres } from "../testing/nodes.ts";
import type { IdempotencyKey, RepeatableCall } from "./service.ts";

const calls = 64;
/** Each knows only of its own calls, so that many of them reach the database together. */
const nodeCount = 16;
const rounds = 12;

const isInProgress = (error: unknown) => error instanceof Refusal && error.code === "idempotency_in_progress";

function repeatable(key: string, userId: string): RepeatableCall & { repeats: number } {
  return {
    ...{ key: key as IdempotencyKey, route: "POST /issue", request: { params: { userId }, body: {} }, repeats: 0 },
    onRepeat() {
      this.repeats++;
    },
  };
}

for (const kind of ["sqlite", "postgres"] as const) {
  describe(`one key on many nodes, on ${kind}`, { skip: kind === "postgres" && withoutPostgres }, () => {
    let made: Nodes;
    before(async () => {
      made = await startNodes(kind, nodeCount);
    });
    after(() => made.close());

    const nodeAt = (place: number) => made.nodes[place % nodeCount] as Node;

    async function createUser(username: string): Promise<string> {
      const input = { username, email: `${username}@example.com`, firstName: "Test", lastName: "User" };
      return (await nodeAt(0).users.upsert(made.administrator, input)).user.id;
    }

    async function recorded(userId: string): Promise<Record<string, number>> {
      const rows = await made.db.read
        .selectFrom("audit_events")
        .select(["action", (eb) => eb.fn.countAll<number>().as("count")])
        .where("user_id", "=", userId)
        .groupBy("action")
        .execute();
      return Object.fromEntries(rows.map(({ action, count }) => [action, count]));
    }

    it("of sixty-four calls at once issues one code, and whoever gets an answer gets the same", async () => {
      let repeats = 0;
      for (let round = 0; round < rounds; round++) {
        const userId = await createUser(`racer.${round}`);
        const call = repeatable(`one key for all ${round}`, userId);
        const ask = async (_: unknown, place: number) =>
          nodeAt(place).codes.issue(made.administrator, userId, {}, call);
        const settled = await Promise.allSettled(Array.from({ length: calls }, ask));
        const answers = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
        for (const one of settled) if (one.status === "rejected") assert.ok(isInProgress(one.reason), one.reason);
        assert.ok(answers.length >= 1);
        for (const answer of answers) assert.deepEqual(answer, answers[0]);
        const counts = await recorded(userId);
        assert.equal(counts["emergency_code.issued"], 1);
        assert.equal(counts["emergency_code.issue_repeated"] ?? 0, answers.length - 1);
        assert.equal(call.repeats, answers.length - 1);
        assert.equal((await nodeAt(0).codes.access(userId)).codeId, answers[0]?.id);
        repeats += call.repeats;
      }
      // The race was one: more than one node came as far as the database.
      assert.ok(repeats > 0);
    });

    it("control: more than one is issued by nodes that look first, and then issue, and then take note", async () => {
      const userId = await createUser("naive.racer");
      const done = { digest: "naive", request_digest: "", sealed: null, seal_kid: "" };
      const row = {
        ...done,
        company_id: made.company.id,
        answer_ends_at: made.clock.now(),
        expires_at: made.clock.now(),
      };
      async function naively(_: unknown, place: number): Promise<IssuedCode | undefined> {
        const { db, codes } = nodeAt(place);
        const known = await db.read
          .selectFrom("idempotent_calls")
          .select("digest")
          .where("digest", "=", "naive")
          .execute();
        if (known.length > 0) return undefined;
        const issued = await codes.issue(made.administrator, userId, {});
        await db.write((trx) =>
          trx
            .insertInto("idempotent_calls")
            .values(row)
            .onConflict((conflict) => conflict.doNothing())
            .execute(),
        );
        return issued;
      }
      await Promise.all(Array.from({ length: calls }, naively));
      assert.ok(((await recorded(userId))["emergency_code.issued"] ?? 0) > 1);
    });

    it("a user who is disabled while many ask gets no code, every refusal has its record, and the key stays free", async () => {
      const userId = await createUser("disabled");
      await nodeAt(0).users.setStatus(made.administrator, userId, "disabled");
      const call = repeatable("a key that nobody used", userId);
      const ask = (_: unknown, place: number) => nodeAt(place).codes.issue(made.administrator, userId, {}, call);
      const settled = await Promise.allSettled(Array.from({ length: calls }, ask));
      const codes = settled.map((one) => (one.status === "rejected" ? (one.reason as Refusal).code : "issued"));
      const refused = codes.filter((code) => code === "user_disabled").length;
      assert.ok(refused >= 1);
      for (const code of codes) assert.ok(["user_disabled", "idempotency_in_progress"].includes(code), code);
      assert.equal((await recorded(userId))["emergency_code.issued"], refused);
      assert.equal(
        (await made.db.read.selectFrom("idempotent_calls").where("sealed", "is not", null).select("digest").execute())
          .length,
        rounds,
      );
      await nodeAt(0).users.setStatus(made.administrator, userId, "enabled");
      await nodeAt(1).codes.issue(made.administrator, userId, {}, call);
      assert.equal(call.repeats, 0);
    });
  });
}

describe("a call that another node is still doing, on postgres", { skip: withoutPostgres }, () => {
  let made: Nodes;
  before(async () => {
    made = await startNodes("postgres", 2);
  });
  after(() => made.close());

  /** Work that goes on until it is told how it ends. */
  function openEnded() {
    const gate = Promise.withResolvers<boolean>();
    const started = Promise.withResolvers<number>();
    const answer = { from: "the first" };
    const run = async (trx: Parameters<Parameters<Nodes["db"]["write"]>[0]>[0]) => {
      const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(trx);
      started.resolve(rows[0]?.pid ?? 0);
      return gate.promise;
    };
    return {
      end: gate.resolve,
      started: started.promise,
      prepare: async () => ({ answer, run }),
      recordRepeat: async () => {},
    };
  }
  const atOnce = {
    prepare: async () => ({ answer: { from: "the second" }, run: async () => true }),
    recordRepeat: async () => {},
  };
  const named = (key: string) => repeatable(key, "somebody");

  it("is refused after a second, and answered alike once it is done", async () => {
    const [first, second] = made.nodes;
    const work = openEnded();
    const doing = first.idempotency.once(made.administrator, named("a call that takes long"), work);
    await work.started;
    const again = () => second.idempotency.once(made.administrator, named("a call that takes long"), atOnce);
    const startedAt = performance.now();
    await assert.rejects(again(), isInProgress);
    const waitedMs = performance.now() - startedAt;
    assert.ok(waitedMs > 900 && waitedMs < 4_000, `${waitedMs} ms`);
    // The same node does not even ask the database.
    await assert.rejects(
      first.idempotency.once(made.administrator, named("a call that takes long"), atOnce),
      isInProgress,
    );
    const waiting = again();
    work.end(true);
    assert.deepEqual(await doing, { from: "the first" });
    assert.deepEqual(await waiting, { from: "the first" });
    assert.deepEqual(await again(), { from: "the first" });
  });

  it("is done by whoever waits for it when it is refused in the end", async () => {
    const [first, second] = made.nodes;
    const work = openEnded();
    const doing = first.idempotency.once(made.administrator, named("a call that is refused"), work);
    await work.started;
    const waiting = second.idempotency.once(made.administrator, named("a call that is refused"), atOnce);
    work.end(false);
    assert.equal(await doing, undefined);
    assert.deepEqual(await waiting, { from: "the second" });
  });

  it("is done by whoever waits for it when its connection dies in the middle", async () => {
    const [first, second] = made.nodes;
    const work = openEnded();
    const doing = first.idempotency.once(made.administrator, named("a call whose node dies"), work);
    const pid = await work.started;
    const waiting = second.idempotency.once(made.administrator, named("a call whose node dies"), atOnce);
    await made.db.report((db) => sql`SELECT pg_terminate_backend(${pid}::int)`.execute(db));
    assert.deepEqual(await waiting, { from: "the second" });
    work.end(true);
    await assert.rejects(doing);
    const again = await first.idempotency.once(made.administrator, named("a call whose node dies"), openEnded());
    assert.deepEqual(again, { from: "the second" });
  });
});
