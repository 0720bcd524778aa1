import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { EmergencyAccess, User } from "@sparekey/contract";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";

/** Whole, so that it is a guess and no slip, and nobody's. */
const wrong = "00000000000";
const minute = 60_000;

describe("the lockout", () => {
  let sparekey: TestInstallation;
  before(async () => {
    sparekey = await startInstallation();
  });
  after(() => sparekey.close());

  async function userWithCode(username: string, issue: unknown = {}): Promise<{ user: User; code: string }> {
    const user = await sparekey.createUser(username);
    return { user, code: await sparekey.issue(user.id, issue) };
  }
  async function guess(username: string, times: number) {
    for (let i = 0; i < times; i++) assert.equal(await sparekey.verify(username, wrong), false);
  }
  const access = async (user: User): Promise<EmergencyAccess> =>
    (await sparekey.admin("GET", `/api/v1/users/${user.id}/emergency-access`)).body;
  const unlock = async (user: User) => {
    const body = { unlockMethods: ["EMERGENCY_TOKENCODE"] };
    const path = `/AdminInterface/restapi/v1/users/${user.id}/methods`;
    assert.equal((await sparekey.admin("PATCH", path, body)).status, 200);
  };
  const recordOf = async (user: User) => {
    const { body } = await sparekey.admin("GET", `/api/v1/audit/events?limit=1000&userId=${user.id}`);
    return body.events.map(({ action, reason }: { action: string; reason: string | null }) => `${action}/${reason}`);
  };

  it("leaves the right code working one wrong guess below the limit", async () => {
    const { user, code } = await userWithCode("below.limit");
    await guess("below.limit", 9);
    assert.deepEqual([(await access(user)).failures, (await access(user)).locked], [9, false]);
    assert.equal(await sparekey.verify("below.limit", code), true);
  });

  it("refuses the right code from the limit on, and says why in the record alone", async () => {
    const { user, code } = await userWithCode("at.limit");
    await guess("at.limit", 10);
    assert.equal(await sparekey.verify("at.limit", code), false);
    const { locked, failures, explanation } = await access(user);
    assert.deepEqual({ locked, failures }, { locked: true, failures: 10 });
    assert.match(explanation, /after 10 wrong codes: wait, or unlock/);
    assert.deepEqual((await recordOf(user)).slice(-3), [
      "emergency_code.verified/wrong_code",
      "emergency_access.locked/null",
      "emergency_code.verified/locked",
    ]);
  });

  it("ends at its instant and not a millisecond before; then the right code works the first time", async () => {
    const { user, code } = await userWithCode("lock.ends");
    await guess("lock.ends", 10);
    sparekey.clock.advance(30 * minute - 1);
    assert.equal(await sparekey.verify("lock.ends", code), false);
    sparekey.clock.advance(1);
    assert.equal((await access(user)).locked, false);
    assert.equal(await sparekey.verify("lock.ends", code), true);
    assert.equal((await access(user)).failures, 0);
  });

  it("is not lengthened by guesses and right codes while it lasts, and counts none of them", async () => {
    const { user, code } = await userWithCode("while.locked");
    await guess("while.locked", 10);
    const { lockedUntil } = await access(user);
    sparekey.clock.advance(10 * minute);
    await guess("while.locked", 20);
    assert.equal(await sparekey.verify("while.locked", code), false);
    const { lockedUntil: still, failures } = await access(user);
    assert.deepEqual({ still, failures }, { still: lockedUntil, failures: 10 });
  });

  it("gives a whole limit again once it is over, and no more", async () => {
    const { code } = await userWithCode("again");
    await guess("again", 10);
    sparekey.clock.advance(30 * minute);
    await guess("again", 9);
    assert.equal(await sparekey.verify("again", code), true);
    await guess("again", 10);
    sparekey.clock.advance(30 * minute);
    await guess("again", 10);
    assert.equal(await sparekey.verify("again", code), false);
  });

  it("is not escaped by a new code: issuing and revoking clear no failure and no lock", async () => {
    const { user } = await userWithCode("new.code");
    await guess("new.code", 9);
    assert.equal((await sparekey.admin("DELETE", `/api/v1/users/${user.id}/emergency-code`)).status, 204);
    const second = await sparekey.issue(user.id);
    assert.equal((await access(user)).failures, 9);
    await guess("new.code", 1);
    assert.equal(await sparekey.verify("new.code", second), false);
    const third = await sparekey.issue(user.id);
    assert.equal(await sparekey.verify("new.code", third), false);
    assert.deepEqual([(await access(user)).failures, (await access(user)).locked], [10, true]);
  });

  it("ends with an unlock, which is recorded once and clears the count; the right code works the first time", async () => {
    const { user, code } = await userWithCode("unlocked");
    await guess("unlocked", 10);
    await unlock(user);
    assert.deepEqual([(await access(user)).failures, (await access(user)).locked], [0, false]);
    assert.equal(await sparekey.verify("unlocked", code), true);
    await unlock(user);
    assert.equal(
      (await recordOf(user)).filter((entry: string) => entry.startsWith("emergency_access.unlocked")).length,
      1,
    );
  });

  it("starts its count anew after a success", async () => {
    const { code } = await userWithCode("success");
    for (let round = 0; round < 3; round++) {
      await guess("success", 9);
      assert.equal(await sparekey.verify("success", code), true);
    }
  });

  it("costs no try for a slip of the hand", async () => {
    const { user, code } = await userWithCode("slips");
    for (const slip of ["00000000001", "7K3M", "x", "00000000000000000", "0000-0000-00U"]) {
      for (let i = 0; i < 5; i++) assert.equal(await sparekey.verify("slips", slip), false);
    }
    assert.equal((await access(user)).failures, 0);
    assert.equal(await sparekey.verify("slips", code), true);
    assert.equal((await recordOf(user)).filter((entry: string) => entry.endsWith("/slip")).length, 25);
  });

  it("counts no guess while there is no active code, so that nobody is locked before there is one", async () => {
    const user = await sparekey.createUser("nothing.active");
    await guess("nothing.active", 12);
    const oneTime = await sparekey.issue(user.id, { oneTime: true });
    assert.equal(await sparekey.verify("nothing.active", oneTime), true);
    await guess("nothing.active", 12);
    await sparekey.issue(user.id);
    await sparekey.admin("DELETE", `/api/v1/users/${user.id}/emergency-code`);
    await guess("nothing.active", 12);
    await sparekey.issue(user.id, { lifetime: { value: 1, unit: "minutes" } });
    sparekey.clock.advance(minute);
    await guess("nothing.active", 12);
    assert.equal((await access(user)).failures, 0);
    assert.equal(await sparekey.verify("nothing.active", await sparekey.issue(user.id)), true);
  });

  it("counts no guess against a disabled user", async () => {
    const { user, code } = await userWithCode("disabled");
    const path = `/AdminInterface/restapi/v1/users/${user.id}/userStatus`;
    await sparekey.admin("PUT", path, { userStatus: "Disabled" });
    await guess("disabled", 12);
    await sparekey.admin("PUT", path, { userStatus: "Enabled" });
    assert.equal((await access(user)).failures, 0);
    assert.equal(await sparekey.verify("disabled", code), true);
  });
});
