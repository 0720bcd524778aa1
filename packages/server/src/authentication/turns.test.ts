import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Refusal } from "../platform/refusal.ts";
import { startCore, type TestCore } from "../testing/core.ts";

const methodId = "EMERGENCY_TOKENCODE";
const wrong = "00000000000";

describe("the turns of an attempt", () => {
  let core: TestCore;
  before(async () => {
    core = await startCore();
  });
  after(() => core.close());

  async function begin(subjectName: string, keepAttempt = false) {
    const request = { subjectName, keepAttempt, context: { messageId: "m" } };
    return (await core.authentication.initialize(core.client, request)).context;
  }
  /** What became of presenting a code in answer to a message: the attempt's reason, or the refusal's code. */
  async function present(code: string, { authnAttemptId, messageId }: { authnAttemptId: string; messageId: string }) {
    const request = {
      context: { authnAttemptId, messageId: "m", inResponseTo: messageId },
      subjectCredentials: [{ methodId, collectedInputs: [{ name: methodId, value: code }] }],
    };
    try {
      const { attemptReasonCode, attemptResponseCode, context } = await core.authentication.verify(
        core.client,
        request,
      );
      return { reason: `${attemptResponseCode} ${attemptReasonCode}`, messageId: context.messageId };
    } catch (error) {
      if (error instanceof Refusal) return { reason: error.code, messageId: "" };
      throw error;
    }
  }
  function tally(answers: { reason: string }[]): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { reason } of answers) counts[reason] = (counts[reason] ?? 0) + 1;
    return counts;
  }
  const failures = async (userId: string) => (await core.codes.access(userId)).failures;

  it("of sixty-four wrong codes for one message, one is looked at and counted; the others get the message to answer", async () => {
    const { id } = await core.createUser("wrong.codes");
    const code = await core.issue(id);
    const context = await begin("wrong.codes");
    const answers = await Promise.all(Array.from({ length: 64 }, () => present(wrong, context)));
    assert.deepEqual(tally(answers), { "CHALLENGE AUTHENTICATION_REQUIRED": 1, "ERROR STALE_MESSAGE": 63 });
    assert.equal(await failures(id), 1);
    assert.equal(new Set(answers.map(({ messageId }) => messageId)).size, 1);
    const { reason } = await present(code, { ...context, messageId: answers[0]?.messageId ?? "" });
    assert.equal(reason, "SUCCESS CREDENTIAL_VERIFIED");
  });

  it("of sixty-four right codes for one message, one is accepted, also when the attempt is kept", async () => {
    const { id } = await core.createUser("right.codes");
    for (const keep of [false, true]) {
      const code = await core.issue(id, { oneTime: false });
      const context = await begin("right.codes", keep);
      const answers = await Promise.all(Array.from({ length: 64 }, () => present(code, context)));
      const { "SUCCESS CREDENTIAL_VERIFIED": accepted, ...others } = tally(answers);
      assert.equal(accepted, 1);
      for (const reason of Object.keys(others))
        assert.ok(["ERROR STALE_MESSAGE", "attempt_not_found"].includes(reason), reason);
    }
    const { events } = await core.audit.find({ userId: id, action: "emergency_code.verified" });
    assert.equal(events.length, 2);
  });

  it("of an attempt end with its third wrong code, however many are under way", async () => {
    const { id } = await core.createUser("three.tries");
    await core.issue(id);
    const context = await begin("three.tries");
    let { messageId } = context;
    for (const expected of [
      "CHALLENGE AUTHENTICATION_REQUIRED",
      "CHALLENGE AUTHENTICATION_REQUIRED",
      "FAIL VERIFY_ERROR",
    ]) {
      const answer = await present(wrong, { ...context, messageId });
      assert.equal(answer.reason, expected);
      messageId = answer.messageId;
    }
    assert.equal((await present(wrong, { ...context, messageId })).reason, "attempt_not_found");
    assert.equal(await failures(id), 3);
  });

  it("spend nothing when they are stale: not a try, and not a one-time code", async () => {
    const { id } = await core.createUser("stale");
    const code = await core.issue(id, { oneTime: true });
    const context = await begin("stale");
    const { messageId } = await present("7K3M", context);
    assert.equal((await present(code, context)).reason, "ERROR STALE_MESSAGE");
    assert.equal((await present(wrong, context)).reason, "ERROR STALE_MESSAGE");
    assert.equal(await failures(id), 0);
    assert.equal((await present(code, { ...context, messageId })).reason, "SUCCESS CREDENTIAL_VERIFIED");
  });

  it("follow a lowered number of tries, also in attempts that were begun before", async () => {
    const { id } = await core.createUser("fewer.tries");
    await core.issue(id);
    const context = await begin("fewer.tries");
    const { messageId } = await present(wrong, context);
    await core.changeSettings((settings) => Object.assign(settings, { attemptTries: 2 }));
    assert.equal((await present(wrong, { ...context, messageId })).reason, "FAIL VERIFY_ERROR");
    await core.changeSettings((settings) => Object.assign(settings, { attemptTries: 3 }));
  });

  it("are over at the end of the attempt's time, which each turn begins anew", async () => {
    const { id } = await core.createUser("in.time");
    const code = await core.issue(id);
    const context = await begin("in.time");
    core.clock.advance(300_000 - 1);
    const { messageId, reason } = await present(wrong, context);
    assert.equal(reason, "CHALLENGE AUTHENTICATION_REQUIRED");
    core.clock.advance(300_000 - 1);
    const { messageId: last } = await present(wrong, { ...context, messageId });
    core.clock.advance(300_000);
    assert.equal((await present(code, { ...context, messageId: last })).reason, "attempt_not_found");
  });
});
