import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { User } from "@sparekey/contract";
import { open } from "../keyring/sealing.ts";
import { addMs } from "../platform/clock.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Administrator, Call } from "../principal.ts";
import { startCore, type TestCore } from "../testing/core.ts";
import { openKeyring } from "../testing/data-directory.ts";
import { digestOf, secretsOf } from "./repeatable-call.ts";
import type { IdempotencyKey, RepeatableCall } from "./service.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

function named(key: string, userId: string): RepeatableCall {
  return { key: key as IdempotencyKey, route: "POST /issue", request: { params: { userId } }, onRepeat: () => {} };
}

const hasCode = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;

describe("a stored answer", () => {
  let core: TestCore;
  let jane: User;
  let john: User;
  const mallory: Call<Administrator> = {
    principal: { kind: "administrator", id: "mallory", role: "Super Administrator" },
    ...{ requestId: null, address: null },
  };
  before(async () => {
    core = await startCore();
    jane = await core.createUser("jane");
    john = await core.createUser("john");
  });
  after(() => core.close());

  let keys = 0;
  const newKey = () => `a key for test ${keys++}`;
  const scopeOf = ({ principal }: Call) => ({ companyId: core.company.id, principal });
  const issue = (call: RepeatableCall, userId = jane.id, by = core.administrator) =>
    core.codes.issue(by, userId, {}, call);
  const rowOf = (call: RepeatableCall, by: Call = core.administrator) =>
    core.db.read
      .selectFrom("idempotent_calls")
      .selectAll()
      .where("digest", "=", digestOf(scopeOf(by), call))
      .executeTakeFirstOrThrow();
  const change = (digest: string, values: Record<string, string>) =>
    core.db.write((trx) => trx.updateTable("idempotent_calls").set(values).where("digest", "=", digest).execute());

  it("is in no row and no text of the database, and neither is the client's key", async () => {
    const call = named(newKey(), jane.id);
    const { code } = await issue(call);
    const row = JSON.stringify(await rowOf(call));
    for (const text of [code, code.replaceAll("-", ""), call.key, jane.id, "test-key"])
      assert.ok(!row.includes(text), text);
  });

  it("does not open with the database and the root key, for want of the client's key", async () => {
    const call = named(newKey(), jane.id);
    const { code } = await issue(call);
    const row = await rowOf(call);
    const { keyring } = await openKeyring(core);
    const server = (await keyring.fresh()).find("idempotency_seal", row.seal_kid) ?? assert.fail();
    const context = JSON.stringify(["idempotent answer/v1", row.digest, row.answer_ends_at]);
    const sealed = row.sealed ?? "";
    const openAs = (guess: RepeatableCall) =>
      open(secretsOf(server.bytes, scopeOf(core.administrator), guess).answerKey, context, sealed).toString();
    for (const guess of ["", newKey(), row.digest, row.request_digest, core.rootKey.toString("base64")])
      assert.throws(() => openAs(named(guess, jane.id)));
    for (const key of [server.bytes, core.rootKey]) assert.throws(() => open(key, context, sealed));
    // The control: with the client's key it does.
    assert.ok(openAs(call).includes(code));
  });

  it("does not open for another principal or another user, wherever its row is copied to", async () => {
    const key = newKey();
    const call = named(key, jane.id);
    await issue(call);
    const victim = await rowOf(call);
    // As the thief's own call, with the thief's own request: what was answered lies under another key.
    for (const [by, userId] of [
      [mallory, jane.id],
      [mallory, john.id],
      [core.administrator, john.id],
    ] as const) {
      const own = named(newKey(), userId);
      await issue(own, userId, by);
      const { digest } = await rowOf(own, by);
      const { sealed, answer_ends_at, seal_kid, request_digest } = victim;
      await change(digest, { sealed: sealed ?? "", answer_ends_at, seal_kid });
      await assert.rejects(issue(own, userId, by), /unable to authenticate/);
      await change(digest, { request_digest });
      await assert.rejects(issue(own, userId, by), hasCode("idempotency_key_reused"));
    }
    // With the victim's key in another's hand it is simply another call.
    const other = await issue(named(key, jane.id), jane.id, mallory);
    assert.notEqual(other.id, (await issue(call)).id);
  });

  it("does not open later than its end, though the row says so", async () => {
    const call = named(newKey(), jane.id);
    await issue(call);
    const { digest, answer_ends_at } = await rowOf(call);
    await change(digest, { answer_ends_at: addMs(answer_ends_at, 1) });
    await assert.rejects(issue(call), /unable to authenticate/);
  });

  it("is not given once the key that sealed it is gone, and nothing is issued in its place", async () => {
    const call = named(newKey(), jane.id);
    const { id } = await issue(call);
    await change((await rowOf(call)).digest, { seal_kid: "a key that is gone" });
    await assert.rejects(issue(call), hasCode("idempotency_expired"));
    assert.equal((await core.codes.access(jane.id)).codeId, id);
  });

  it("is cleared by the job at its end, and its row removed a day later, to the millisecond", async () => {
    const call = named(newKey(), jane.id);
    await issue(call);
    const { digest } = await rowOf(call);
    const seen = async () => {
      await core.idempotency.removeExpired();
      const row = await core.db.read
        .selectFrom("idempotent_calls")
        .selectAll()
        .where("digest", "=", digest)
        .executeTakeFirst();
      if (row === undefined) return "removed";
      return row.sealed === null ? "cleared" : "kept";
    };
    for (const [advanceMs, expected] of [
      [10 * minuteMs - 1, "kept"],
      [1, "cleared"],
      [dayMs - 1, "cleared"],
    ] as const) {
      core.clock.advance(advanceMs);
      assert.equal(await seen(), expected);
      if (expected === "cleared") await assert.rejects(issue(call), hasCode("idempotency_expired"));
    }
    core.clock.advance(1);
    assert.equal(await seen(), "removed");
    await issue(call);
  });

  it("is cleared a thousand at a time, however many there are, and none that is still given", async () => {
    const call = named(newKey(), jane.id);
    await issue(call);
    const row = await rowOf(call);
    await core.db.write(async (trx) => {
      for (let i = 0; i < 2_100; i++)
        await trx
          .insertInto("idempotent_calls")
          .values({ ...row, digest: `copy ${i}`, answer_ends_at: core.clock.now() })
          .execute();
    });
    await core.idempotency.removeExpired();
    const rows = await core.db.read.selectFrom("idempotent_calls").selectAll().execute();
    const copies = rows.filter((one) => one.digest.startsWith("copy"));
    assert.deepEqual([copies.length, copies.filter(({ sealed }) => sealed !== null).length], [2_100, 0]);
    assert.deepEqual(await rowOf(call), row);
  });
});
