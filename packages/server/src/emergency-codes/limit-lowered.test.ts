import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCore, type TestCore } from "../testing/core.ts";

const wrong = "00000000000";

describe("a lowered lockout limit", () => {
  let core: TestCore;
  before(async () => {
    core = await startCore();
  });
  after(() => core.close());

  const limitTo = (tries: number) =>
    core.changeSettings((settings) => {
      settings.lockout.tries = tries;
    });

  it("takes the next guess of those who have already used it up for a wrong one, and leaves the others alone", async () => {
    await limitTo(10);
    const [jane, john] = [await core.createUser("jane"), await core.createUser("john")];
    const codes = { jane: await core.issue(jane.id), john: await core.issue(john.id) };
    for (let i = 0; i < 3; i++) await core.verify("jane", wrong);
    for (let i = 0; i < 2; i++) await core.verify("john", wrong);
    await limitTo(3);
    assert.equal(await core.verify("jane", codes.jane), false);
    assert.equal(await core.verify("john", codes.john), true);
    const { events } = await core.audit.find({ action: "emergency_access.locked" });
    assert.deepEqual(
      events.map(({ userId, reason }) => ({ userId, reason })),
      [{ userId: jane.id, reason: null }],
    );
  });

  it("holds for guesses that were under way when it was lowered", async () => {
    await limitTo(10);
    const user = await core.createUser("under.way");
    const code = await core.issue(user.id);
    for (let i = 0; i < 2; i++) await core.verify("under.way", wrong);
    const guess = await core.codes.prepareVerification(core.client, { user: "under.way", code: wrong });
    const right = await core.codes.prepareVerification(core.client, { user: "under.way", code });
    await limitTo(3);
    await guess.decide();
    assert.equal((await core.codes.access(user.id)).locked, true);
    assert.deepEqual(await right.decide(), { accepted: false, reason: "overtaken" });
  });

  it("unlocks nobody when it is raised again", async () => {
    await limitTo(2);
    const user = await core.createUser("stays.locked");
    const code = await core.issue(user.id);
    for (let i = 0; i < 2; i++) await core.verify("stays.locked", wrong);
    await limitTo(10);
    assert.equal(await core.verify("stays.locked", code), false);
  });
});
