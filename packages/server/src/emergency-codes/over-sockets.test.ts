import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";
import { type ManySockets, openSockets } from "../testing/many-sockets.ts";

const methodId = "EMERGENCY_TOKENCODE";
const wrong = "00000000000";

describe("over sixty-four sockets at once", () => {
  let sparekey: TestInstallation;
  let sockets: ManySockets;
  before(async () => {
    sparekey = await startInstallation();
    sockets = openSockets(sparekey, 64);
  });
  after(async () => {
    sockets.close();
    await sparekey.close();
  });

  async function verify(user: string, code: string): Promise<boolean> {
    const { status, body } = await sockets.post("/api/v1/verify", { user, code });
    assert.equal(status, 200);
    return body.accepted;
  }
  const credentials = (value: string) => [{ methodId, collectedInputs: [{ name: methodId, value }] }];
  async function initialize(subjectName: string, code?: string) {
    const request = {
      subjectName,
      context: { messageId: "m" },
      ...(code !== undefined && { subjectCredentials: credentials(code) }),
    };
    return (await sockets.post("/mfa/v1_1/authn/initialize", request)).body;
  }
  const count = (answers: unknown[], wanted: unknown) => answers.filter((answer) => answer === wanted).length;

  it("exactly one of sixty-four uses of a one-time code is accepted, by either wire, for twenty codes", async () => {
    const { id } = await sparekey.createUser("one.time");
    for (let round = 0; round < 20; round++) {
      const code = await sparekey.issue(id, { oneTime: true });
      const ways = [
        verify,
        async (user: string, typed: string) => (await initialize(user, typed)).attemptResponseCode === "SUCCESS",
      ];
      const accepted = await Promise.all(Array.from({ length: 64 }, (_, i) => ways[i % 2]?.("one.time", code)));
      assert.equal(count(accepted, true), 1);
    }
  });

  it("two hundred wrong guesses, then the right code: it is refused, and exactly the limit was counted", async () => {
    const { id } = await sparekey.createUser("two.hundred");
    const code = await sparekey.issue(id);
    const guesses = await Promise.all(Array.from({ length: 200 }, () => verify("two.hundred", wrong)));
    assert.equal(count(guesses, true), 0);
    assert.equal(await verify("two.hundred", code), false);
    const { body } = await sparekey.admin("GET", `/api/v1/users/${id}/emergency-access`);
    assert.deepEqual([body.failures, body.locked], [10, true]);
    const { body: page } = await sparekey.admin(
      "GET",
      `/api/v1/audit/events?limit=1000&userId=${id}&action=emergency_code.verified`,
    );
    const reasons = page.events.map(({ reason }: { reason: string }) => reason);
    const refused = count(reasons, "locked") + count(reasons, "overtaken");
    assert.deepEqual([count(reasons, "wrong_code"), refused, reasons.length], [10, 191, 201]);
  });

  it("of sixty-four right codes for one message of an attempt, one takes the turn and is accepted", async () => {
    const { id } = await sparekey.createUser("one.turn");
    for (let round = 0; round < 10; round++) {
      const code = await sparekey.issue(id, { oneTime: false });
      const { context } = await initialize("one.turn");
      const request = {
        context: { authnAttemptId: context.authnAttemptId, messageId: "m", inResponseTo: context.messageId },
        subjectCredentials: credentials(code),
      };
      const answers = await Promise.all(
        Array.from({ length: 64 }, () => sockets.post("/mfa/v1_1/authn/verify", request)),
      );
      assert.equal(
        count(
          answers.map(({ body }) => body.attemptResponseCode),
          "SUCCESS",
        ),
        1,
      );
      for (const { status, body } of answers)
        assert.ok(
          status === 404 || body.attemptResponseCode === "SUCCESS" || body.attemptReasonCode === "STALE_MESSAGE",
        );
    }
    const { body } = await sparekey.admin(
      "GET",
      `/api/v1/audit/events?limit=1000&userId=${id}&action=emergency_code.verified`,
    );
    assert.equal(body.events.length, 10);
  });
});
