import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Database } from "../platform/database/database.ts";
import type { Tables } from "../schema/tables.ts";
import { createTestClock } from "../testing/clock.ts";
import { onPostgres } from "../testing/data-directory.ts";
import { type Answer, startInstallation, type TestInstallation } from "../testing/installation.ts";
import { rotationOf } from "../testing/rotation.ts";
import { type StatementLog, startStatementLog } from "../testing/statements.ts";

const wrong = "00000000000";

/** A clock that only sleeping and the work of the database move, so that a test can say how long the work takes. */
function workingClock() {
  let nowMs = 0;
  const clock = {
    ...createTestClock(),
    workMs: 0,
    monotonicMs: () => nowMs,
    sleep: async (durationMs: number) => {
      nowMs += durationMs;
    },
    slow: (db: Database<Tables>): Database<Tables> => ({
      ...db,
      write: (unit) => {
        nowMs += clock.workMs;
        return db.write(unit);
      },
      apply: (...args) => {
        nowMs += clock.workMs;
        return db.apply(...args);
      },
    }),
  };
  return clock;
}

/** Users in every state in which a code is refused, and what is typed for them. */
async function refusedUsers(sparekey: TestInstallation): Promise<Record<string, { user: string; code: string }>> {
  const typed: Record<string, { user: string; code: string }> = { unknown_user: { user: "nobody.here", code: wrong } };
  const add = async (reason: string, prepare: (id: string, code: string) => Promise<unknown>, code?: string) => {
    const name = reason.replace("_", ".");
    const { id } = await sparekey.createUser(name);
    const right = reason === "no_code" ? wrong : await sparekey.issue(id, { oneTime: true });
    await prepare(id, right);
    typed[reason] = { user: name, code: code ?? right };
  };
  await add("key_retired", async () => {
    await rotationOf(sparekey).rotate(sparekey.rootKey, { purposes: ["code_pepper"], overlapMs: 0 });
    sparekey.clock.advance(2_000);
    // The server's lease is by the other clock.
    await sparekey.clock.sleep(2_000);
  });
  await add("no_code", async () => {});
  await add("wrong_code", async () => {}, wrong);
  await add("consumed", (_, code) => sparekey.verify("consumed", code));
  await add("revoked", (id) => sparekey.admin("DELETE", `/api/v1/users/${id}/emergency-code`));
  await add("user_disabled", () => sparekey.createUser("user.disabled", { status: "disabled" }));
  await add("locked", async () => {
    for (let i = 0; i < 10; i++) await sparekey.verify("locked", wrong);
  });
  await add("expired", async (id) => {
    await sparekey.db.write((trx) =>
      trx.updateTable("emergency_access").set({ expires_at: sparekey.clock.now() }).where("user_id", "=", id).execute(),
    );
  });
  return typed;
}

/** What passed the database but for what a node remembers, which is read now and then, whoever is asking. */
const statementsOf = (log: StatementLog) => log.take().filter((text) => !/from "(settings|revision)"/.test(text));

/** All of an answer that does not name the request itself. */
function visible({ status, headers, body }: Answer) {
  const own = ["date", "x-request-id", "ratelimit"];
  return { status, headers: [...headers].filter(([name]) => !own.includes(name)), body: JSON.stringify(body) };
}

describe("the answer to a code that is not accepted", () => {
  const clock = workingClock();
  const log = startStatementLog();
  let sparekey: TestInstallation;
  let typed: Record<string, { user: string; code: string }>;
  before(async () => {
    sparekey = await startInstallation({ clock, watch: clock.slow });
    typed = await refusedUsers(sparekey);
  });
  after(async () => {
    log.stop();
    await sparekey.close();
  });

  const lastReason = async () => (await sparekey.admin("GET", "/api/v1/audit/events?last=1")).body.events[0].reason;

  it("is the same to the letter for everyone, by the same statements, whatever the reason", async () => {
    const seen = new Map<string, unknown>();
    for (const [reason, credentials] of Object.entries(typed)) {
      log.take();
      const answer = await sparekey.client("POST", "/api/v1/verify", credentials);
      seen.set(reason, { ...visible(answer), statements: statementsOf(log) });
      assert.equal(await lastReason(), reason);
    }
    const expected = seen.get("wrong_code") as { body: string; statements: string[] };
    assert.equal(expected.body, '{"accepted":false}');
    const writes = onPostgres ? /^WITH/ : /^(update|insert)/;
    assert.equal(expected.statements.filter((text) => writes.test(text)).length, onPostgres ? 1 : 3);
    for (const [reason, answer] of seen) assert.deepEqual(answer, expected, reason);
  });

  it("is the same in the Authentication API, but for the ids of its messages", async () => {
    const seen = new Map<string, unknown>();
    for (const [reason, { user, code }] of Object.entries(typed)) {
      const collectedInputs = [{ name: "EMERGENCY_TOKENCODE", value: code }];
      const request = {
        subjectName: user,
        context: { messageId: "request" },
        subjectCredentials: [{ methodId: "EMERGENCY_TOKENCODE", collectedInputs }],
      };
      log.take();
      const answer = await sparekey.client("POST", "/mfa/v1_1/authn/initialize", request);
      const statements = statementsOf(log);
      assert.equal(await lastReason(), reason);
      Object.assign(answer.body.context, { authnAttemptId: "", messageId: "" });
      seen.set(reason, { ...visible(answer), statements });
    }
    for (const [reason, answer] of seen) assert.deepEqual(answer, seen.get("wrong_code"), reason);
  });

  it("begins an attempt alike for everyone, without looking at who it is", async () => {
    const seen = new Map<string, unknown>();
    for (const [reason, { user }] of Object.entries(typed)) {
      log.take();
      const answer = await sparekey.client("POST", "/mfa/v1_1/authn/initialize", {
        subjectName: user,
        context: { messageId: "request" },
      });
      const statements = statementsOf(log);
      assert.ok(!statements.some((text) => /login_names|emergency_access|"users"/.test(text)));
      Object.assign(answer.body.context, { authnAttemptId: "", messageId: "" });
      seen.set(reason, { ...visible(answer), statements });
    }
    for (const [reason, answer] of seen) assert.deepEqual(answer, seen.get("wrong_code"), reason);
  });

  it("comes on the beat, as a success does, however long the work took", async () => {
    const user = await sparekey.createUser("on.the.beat");
    const code = await sparekey.issue(user.id);
    const everyone = { ...typed, success: { user: "on.the.beat", code }, slip: { user: "on.the.beat", code: "7K3M" } };
    for (const [workMs, beatMs] of [
      [0.25, 50],
      [12.5, 50],
      [50, 50],
      [62.5, 100],
    ] as const) {
      clock.workMs = workMs;
      for (const credentials of Object.values(everyone)) {
        const startedMs = clock.monotonicMs();
        await sparekey.client("POST", "/api/v1/verify", credentials);
        assert.equal(clock.monotonicMs() - startedMs, beatMs);
      }
    }
  });
});
