import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { User } from "@sparekey/contract";
import { accepted, challenged, failed, stale, wrongCode } from "../testing/authn-answers.ts";
import { AuthnClient, credential, methodId } from "../testing/authn-client.ts";
import { assertErrorShape } from "../testing/error-shape.ts";
import { type Answer, startInstallation, type TestInstallation } from "../testing/installation.ts";
import { changesNothing } from "../testing/state.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const wrong = "00000000000";

describe("an authentication attempt", () => {
  let sparekey: TestInstallation;
  let client: AuthnClient;
  let user: User;
  let code: string;
  let users = 0;
  before(async () => {
    sparekey = await startInstallation();
  });
  after(() => sparekey.close());
  beforeEach(async () => {
    users += 1;
    user = await sparekey.createUser(`user${users}.test`);
    code = await sparekey.issue(user.id, { oneTime: true });
    client = new AuthnClient(sparekey);
  });

  /** Fails unless the answer says this, in exactly its properties, and answers this message. */
  function assertSays({ status, body }: Answer, expected: object, inResponseTo?: string) {
    assert.equal(status, 200, JSON.stringify(body));
    const { context, ...rest } = body;
    assert.deepEqual(rest, expected);
    assert.deepEqual(Object.keys(context).sort(), ["authnAttemptId", "inResponseTo", "messageId"]);
    assert.match(context.authnAttemptId, uuid);
    assert.match(context.messageId, uuid);
    if (inResponseTo !== undefined) assert.equal(context.inResponseTo, inResponseTo);
  }

  function assertGone(answer: Answer) {
    assert.equal(answer.status, 404);
    assert.deepEqual(answer.body, { code: "404 NOT_FOUND", description: "No such authentication attempt." });
  }

  it("200 begins with the challenge, and the right code ends it", async () => {
    assertSays(await client.initialize(user.username), challenged, "message 1");
    const { attemptId, messageId } = client;
    const answer = await client.verify(code);
    assertSays(answer, accepted, "message 2");
    assert.equal(answer.body.context.authnAttemptId, attemptId);
    assert.notEqual(answer.body.context.messageId, messageId);
    assertGone(await client.status());
    assertGone(await client.verify(code));
    assertGone(await client.cancel());
  });

  it("200 for a user named by username, alternate username or email, in any spelling", async () => {
    const { id } = await sparekey.createUser("ada.lovelace", { alternateUsername: "countess" });
    const reusable = await sparekey.issue(id);
    for (const name of [
      "ada.lovelace",
      " ADA.Lovelace",
      "countess",
      "COUNTESS",
      "ada.lovelace@example.com",
      "Ａda.Lovelace",
    ]) {
      assertSays(await client.initialize(name), challenged);
      assertSays(await client.verify(reusable), accepted);
    }
  });

  it("200 for a code in any spelling", async () => {
    const { id } = await sparekey.createUser("grace.hopper");
    const plain = (await sparekey.issue(id)).replaceAll("-", "");
    const full = plain.replace(/./g, (symbol) => String.fromCharCode(symbol.charCodeAt(0) + 0xfee0));
    for (const typed of [
      plain,
      plain.toLowerCase(),
      ` ${plain.split("").join(" ")} `,
      plain.split("").join("-"),
      full,
    ]) {
      await client.initialize("grace.hopper");
      assertSays(await client.verify(typed), accepted);
    }
  });

  it("200 offers the challenge again after a wrong code, and fails at the third for good", async () => {
    await client.initialize(user.username);
    const { attemptId } = client;
    assertSays(await client.verify(wrong), wrongCode, "message 2");
    assertSays(await client.verify(wrong), wrongCode, "message 3");
    const last = await client.verify(wrong);
    assertSays(last, failed, "message 4");
    assert.equal(last.body.context.authnAttemptId, attemptId);
    assertGone(await client.verify(code));
    assertGone(await client.status());
    // The code itself is untouched.
    assert.equal(await sparekey.verify(user.username, code), true);
  });

  it("200 for the right code after wrong ones", async () => {
    await client.initialize(user.username);
    assertSays(await client.verify(wrong), wrongCode);
    assertSays(await client.verify("a slip of the hand"), wrongCode);
    assertSays(await client.verify(code), accepted);
  });

  it("200 fails at as many wrong codes as the settings say", async () => {
    await sparekey.changeSettings((settings) => {
      settings.attemptTries = 1;
    });
    await client.initialize(user.username);
    assertSays(await client.verify(wrong), failed);
    assertSays(await client.initialize(user.username, { subjectCredentials: [credential(wrong)] }), failed);
    await sparekey.changeSettings((settings) => {
      settings.attemptTries = 3;
    });
  });

  it("200 in one call with the code in it: accepted, or challenged with a try less", async () => {
    const inline = (typed: string) => client.initialize(user.username, { subjectCredentials: [credential(typed)] });
    assertSays(await inline(wrong), wrongCode, "message 1");
    assertSays(await client.verify(wrong), wrongCode);
    assertSays(await client.verify(wrong), failed);
    assertSays(await inline(code), accepted);
    assertGone(await client.status());
    assertSays(await inline(code), wrongCode);
  });

  it("200 with an error for a message that is not the latest, which is no try and spends nothing", async () => {
    await client.initialize(user.username);
    const first = client.messageId;
    assertSays(await client.verify(wrong), wrongCode);
    const latest = client.messageId;
    for (const inResponseTo of [first, "message 1", "00000000-0000-4000-8000-000000000000", latest.toUpperCase()]) {
      for (const typed of [code, wrong]) {
        const context = { ...client.context(), inResponseTo };
        const answer = await changesNothing(sparekey, () =>
          client.call("verify", { context, subjectCredentials: [credential(typed)] }),
        );
        assertSays(answer, stale, context.messageId);
        // It names the message to answer, so that a client that lost one finds back.
        assert.equal(answer.body.context.messageId, latest);
      }
    }
    assertSays(await client.verify(code), accepted);
  });

  it("200 for the status of an open attempt, as often as it is asked", async () => {
    const sessionAttributes = [{ name: "risk", value: 7, nested: { a: [1] } }, {}];
    await client.initialize(user.username, {
      assurancePolicyId: "policy-1",
      sessionAttributes,
      authnAttemptTimeout: 60,
    });
    for (const more of [{}, { removeAttemptId: false }, { removeAttemptId: null }]) {
      const { status, body } = await client.status(more);
      assert.equal(status, 200);
      assert.deepEqual(body, {
        ...{ attemptResponseCode: "CHALLENGE", attemptReasonCode: "AUTHENTICATION_REQUIRED" },
        ...{ subjectName: user.username, authnPolicyId: "policy-1", sessionAttributes, successfulMethods: [] },
        attemptExpires: new Date(Date.parse(sparekey.clock.now()) + 60_000).toISOString(),
      });
    }
    assert.equal((await client.status({ removeAttemptId: true })).body.attemptResponseCode, "CHALLENGE");
    assertGone(await client.status());
  });

  it("200 once for the status of an attempt that was to be kept", async () => {
    await client.initialize(user.username, { keepAttempt: true });
    assertSays(await client.verify(code), accepted);
    assertGone(await client.verify(code));
    const { body } = await client.status();
    assert.deepEqual([body.attemptResponseCode, body.attemptReasonCode], ["SUCCESS", "CREDENTIAL_VERIFIED"]);
    assert.deepEqual(body.successfulMethods, [methodId]);
    assert.equal(body.authnPolicyId, null);
    assertGone(await client.status());

    await client.initialize(user.username, { keepAttempt: true });
    for (let tries = 0; tries < 3; tries += 1) await client.verify(wrong);
    const { body: after } = await client.status();
    assert.deepEqual([after.attemptResponseCode, after.attemptReasonCode], ["FAIL", "VERIFY_ERROR"]);
    assert.deepEqual(after.successfulMethods, []);
    assertGone(await client.status());
  });

  it("200 cancels, and the attempt is over", async () => {
    for (const [more, reason] of [
      [{}, "USER_ACTION"],
      [{ reason: "USER_ACTION", removeAttemptId: true }, "USER_ACTION"],
      [{ reason: "TIME_OUT" }, "TIME_OUT"],
    ] as const) {
      await client.initialize(user.username, { keepAttempt: true });
      const { status, body } = await client.cancel(more);
      assert.deepEqual([status, body.attemptResponseCode, body.attemptReasonCode], [200, "FAIL", reason]);
      for (const answer of [await client.cancel(), await client.status(), await client.verify(code)])
        assertGone(answer);
    }
    assert.equal(await sparekey.verify(user.username, code), true);
  });

  it("404 in the vendor's shape for an attempt that nobody began", async () => {
    client.attemptId = "00000000-0000-4000-8000-000000000000";
    client.messageId = "x";
    for (const answer of [await client.verify(code), await client.status(), await client.cancel()]) {
      assertGone(answer);
      assertErrorShape("/mfa/v1_1/authn/verify", answer);
    }
  });
});
