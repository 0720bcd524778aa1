import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCore, type TestCore } from "../testing/core.ts";
import { createNaiveVerification } from "../testing/naive-verification.ts";

const methodId = "EMERGENCY_TOKENCODE";
const wrong = "00000000000";

describe("a thousand wrong guesses at once, the right code among the last", () => {
  let core: TestCore;
  before(async () => {
    core = await startCore();
  });
  after(() => core.close());

  const subjectCredentials = (value: string) => [{ methodId, collectedInputs: [{ name: methodId, value }] }];
  /** Every guess from another address, and every third in an attempt of its own. */
  async function guess(username: string, code: string, i: number): Promise<boolean> {
    const call = { ...core.client, address: `198.51.${i >> 8}.${i & 255}` };
    if (i % 3 !== 0) return (await core.codes.verify(call, { user: username, code })).accepted;
    const request = {
      subjectName: username,
      context: { messageId: "m" },
      subjectCredentials: subjectCredentials(code),
    };
    return (await core.authentication.initialize(call, request)).attemptResponseCode === "SUCCESS";
  }
  const typed = (code: string) => Array.from({ length: 1_000 }, (_, i) => (i === 990 ? code : wrong));
  async function reasonsOf(userId: string) {
    const { events } = await core.audit.find({ userId, action: "emergency_code.verified", limit: 2_000 });
    return Object.groupBy(events, ({ reason }) => reason ?? "accepted");
  }

  it("is refused, from whatever address and in whatever attempt; exactly the limit was counted", async () => {
    const { id } = await core.createUser("jane");
    const code = await core.issue(id);
    // The last hundred, the right one among them, once the limit is used up whatever order the others came in.
    const all = typed(code).map((one, i) => () => guess("jane", one, i));
    const accepted = await Promise.all(all.slice(0, 900).map((one) => one()));
    accepted.push(...(await Promise.all(all.slice(900).map((one) => one()))));
    assert.deepEqual(new Set(accepted), new Set([false]));
    const { wrong_code, locked = [], overtaken = [], ...others } = await reasonsOf(id);
    assert.deepEqual([wrong_code?.length, locked.length + overtaken.length, others], [10, 990, {}]);
    assert.equal((await core.codes.access(id)).failures, 10);
  });

  it("holds for every limit that the company may set, one included", async () => {
    for (const tries of [1, 2, 3, 7, 99]) {
      await core.changeSettings((settings) => Object.assign(settings.lockout, { tries }));
      const name = `limit.${tries}`;
      const { id } = await core.createUser(name);
      const code = await core.issue(id);
      const accepted = await Promise.all(Array.from({ length: 150 }, (_, i) => guess(name, wrong, i)));
      accepted.push(await guess(name, code, tries));
      assert.deepEqual(new Set(accepted), new Set([false]));
      assert.equal((await reasonsOf(id)).wrong_code?.length, tries);
    }
  });

  it("never answers more than a hundred in truth before the code is void, when a limit of a hundred lets them", async () => {
    await core.changeSettings((settings) => Object.assign(settings.lockout, { tries: 100 }));
    const { id } = await core.createUser("hundred");
    const code = await core.issue(id);
    const accepted = await Promise.all(Array.from({ length: 200 }, (_, i) => guess("hundred", wrong, i)));
    accepted.push(await guess("hundred", code, 0));
    assert.deepEqual(new Set(accepted), new Set([false]));
    assert.equal((await reasonsOf(id)).wrong_code?.length, 100);
    assert.equal((await core.codes.access(id)).status, "revoked");
  });

  it("control: is accepted by a verification that reads, decides and then writes", async () => {
    await core.changeSettings((settings) => Object.assign(settings.lockout, { tries: 10 }));
    const { id } = await core.createUser("naive");
    const code = await core.issue(id);
    const verify = await createNaiveVerification(core);
    const accepted = await Promise.all([...Array(200).fill(wrong), code].map((one) => verify(id, one)));
    assert.ok(accepted.includes(true));
  });
});
