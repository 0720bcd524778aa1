import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startCore, type TestCore } from "../testing/core.ts";

const wrong = "00000000000";
const minute = 60_000;

describe("a hundred wrong codes in a row", () => {
  let core: TestCore;
  before(async () => {
    core = await startCore();
    await core.changeSettings((settings) => {
      settings.onlineEmergencyCode = { ...settings.onlineEmergencyCode, expiryValue: 7 };
    });
  });
  after(() => core.close());

  /** Guesses on, waiting for every lock to end. */
  async function guess(username: string, times: number) {
    for (let i = 1; i <= times; i++) {
      assert.equal(await core.verify(username, wrong), false);
      if (i % 10 === 0) core.clock.advance(30 * minute);
    }
  }
  const standing = async (userId: string) => {
    const { failures, status, locked } = await core.codes.access(userId);
    return { failures, status, locked };
  };

  it("leave the code alone one short of a hundred", async () => {
    const { id } = await core.createUser("ninety.nine");
    const code = await core.issue(id);
    await guess("ninety.nine", 99);
    assert.deepEqual(await standing(id), { failures: 99, status: "active", locked: false });
    assert.equal(await core.verify("ninety.nine", code), true);
    assert.deepEqual(await standing(id), { failures: 0, status: "active", locked: false });
  });

  it("make the code void, whatever the locks between them, and the record says so", async () => {
    const { id } = await core.createUser("hundred");
    const code = await core.issue(id);
    await guess("hundred", 100);
    assert.deepEqual(await standing(id), { failures: 100, status: "revoked", locked: false });
    assert.equal(await core.verify("hundred", code), false);
    assert.match((await core.codes.access(id)).explanation, /void after 100 wrong codes in a row: unlock the user/);
    const { events } = await core.audit.find({ userId: id, last: 4 });
    assert.deepEqual(
      events.map(({ action, reason }) => [action, reason]),
      [
        ["emergency_code.verified", "wrong_code"],
        ["emergency_access.locked", null],
        ["emergency_code.revoked", "too_many_failures"],
        ["emergency_code.verified", "revoked"],
      ],
    );
  });

  it("are not forgotten by a new code: the next wrong guess voids it too, until somebody unlocks", async () => {
    const { id } = await core.createUser("not.forgotten");
    await core.issue(id);
    await guess("not.forgotten", 100);
    const second = await core.issue(id);
    await guess("not.forgotten", 1);
    assert.equal((await standing(id)).status, "revoked");
    assert.equal(await core.verify("not.forgotten", second), false);
    await core.codes.unlock(core.administrator, id);
    const third = await core.issue(id);
    await guess("not.forgotten", 1);
    assert.equal(await core.verify("not.forgotten", third), true);
  });

  it("add up over new codes", async () => {
    const { id } = await core.createUser("over.codes");
    for (let round = 0; round < 9; round++) {
      await core.issue(id);
      await guess("over.codes", 10);
    }
    const last = await core.issue(id);
    await guess("over.codes", 10);
    assert.deepEqual(await standing(id), { failures: 100, status: "revoked", locked: false });
    assert.equal(await core.verify("over.codes", last), false);
  });
});

describe("a restart", () => {
  it("clears no failure and no lock, and the code works on", async () => {
    let core = await startCore();
    const [jane, john] = [await core.createUser("jane"), await core.createUser("john")];
    const codes = { jane: await core.issue(jane.id), john: await core.issue(john.id) };
    for (let i = 0; i < 9; i++) await core.verify("jane", wrong);
    for (let i = 0; i < 10; i++) await core.verify("john", wrong);

    core = await core.restart();
    assert.equal((await core.codes.access(jane.id)).failures, 9);
    assert.equal(await core.verify("john", codes.john), false);
    assert.equal(await core.verify("jane", codes.jane), true);
    await core.close();
  });
});
