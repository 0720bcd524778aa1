import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startInstallation, type TestInstallation } from "../testing/installation.ts";

const wrong = "00000000000";

describe("verification", () => {
  let sparekey: TestInstallation;
  before(async () => {
    sparekey = await startInstallation();
  });
  after(() => sparekey.close());

  const setStatus = (id: string, userStatus: string) =>
    sparekey.admin("PUT", `/AdminInterface/restapi/v1/users/${id}/userStatus`, { userStatus });
  const lastReason = async () => (await sparekey.admin("GET", "/api/v1/audit/events?last=1")).body.events[0].reason;
  async function refused(user: string, code: string, reason: string) {
    assert.equal(await sparekey.verify(user, code), false);
    assert.equal(await lastReason(), reason);
  }

  it("accepts a reusable code until its instant, and not at it", async () => {
    const user = await sparekey.createUser("expiry");
    const code = await sparekey.issue(user.id, { lifetime: { value: 90, unit: "minutes" } });
    assert.equal(await sparekey.verify("expiry", code), true);
    sparekey.clock.advance(90 * 60_000 - 1);
    assert.equal(await sparekey.verify("expiry", code), true);
    sparekey.clock.advance(1);
    await refused("expiry", code, "expired");
  });

  it("accepts a one-time code once, and says in the record that it was consumed", async () => {
    const user = await sparekey.createUser("once");
    const code = await sparekey.issue(user.id, { oneTime: true });
    await refused("once", wrong, "wrong_code");
    assert.equal(await sparekey.verify("once", code), true);
    await refused("once", code, "consumed");
    const { body } = await sparekey.admin("GET", `/api/v1/users/${user.id}/emergency-access`);
    assert.deepEqual([body.status, body.lastUsedAt], ["consumed", sparekey.clock.now()]);
  });

  it("accepts a reusable code over and over, and keeps when it was last used", async () => {
    const user = await sparekey.createUser("over.and.over");
    const code = await sparekey.issue(user.id, { oneTime: false });
    for (let i = 0; i < 5; i++) {
      sparekey.clock.advance(1_000);
      assert.equal(await sparekey.verify("over.and.over", code), true);
    }
    const { body } = await sparekey.admin("GET", `/api/v1/users/${user.id}/emergency-access`);
    assert.equal(body.lastUsedAt, sparekey.clock.now());
    await refused("over.and.over", wrong, "wrong_code");
    assert.equal(await sparekey.verify("over.and.over", code), true);
  });

  it("refuses a code that another has replaced, and accepts the new one", async () => {
    const user = await sparekey.createUser("replaced");
    const old = await sparekey.issue(user.id);
    const current = await sparekey.issue(user.id);
    await refused("replaced", old, "wrong_code");
    assert.equal(await sparekey.verify("replaced", current), true);
  });

  it("refuses a revoked code, whichever of the vendor's paths ended it", async () => {
    const user = await sparekey.createUser("revoked");
    const base = `/AdminInterface/restapi/v1/users/${user.id}`;
    for (const path of [`${base}/emergencyTokencode/any-id`, `${base}/emergencyTokencodes`]) {
      const code = await sparekey.issue(user.id);
      assert.equal((await sparekey.admin("DELETE", path)).status, 200);
      await refused("revoked", code, "revoked");
    }
  });

  it("refuses the code of a disabled user; it works again if the user is enabled before it ends, and not after", async () => {
    const user = await sparekey.createUser("disabled");
    const code = await sparekey.issue(user.id, { lifetime: { value: 60, unit: "minutes" } });
    await setStatus(user.id, "Disabled");
    await refused("disabled", code, "user_disabled");
    await setStatus(user.id, "Enabled");
    assert.equal(await sparekey.verify("disabled", code), true);
    await setStatus(user.id, "Disabled");
    sparekey.clock.advance(60 * 60_000);
    await setStatus(user.id, "Enabled");
    await refused("disabled", code, "expired");
  });

  it("refuses the code of a user whom an import has disabled", async () => {
    const user = await sparekey.createUser("imported");
    const code = await sparekey.issue(user.id);
    await sparekey.createUser("imported", { status: "disabled" });
    await refused("imported", code, "user_disabled");
    await sparekey.createUser("imported", { status: "enabled" });
    assert.equal(await sparekey.verify("imported", code), true);
  });

  it("refuses another user's code, also when the row that holds it was copied", async () => {
    const [jane, mallory] = [await sparekey.createUser("jane"), await sparekey.createUser("mallory")];
    const code = await sparekey.issue(jane.id);
    await sparekey.issue(mallory.id);
    await refused("mallory", code, "wrong_code");
    const columns = ["code_id", "digest", "salt", "algorithm", "iterations", "pepper_kid", "expires_at"] as const;
    const row = await sparekey.db.read
      .selectFrom("emergency_access")
      .select(columns)
      .where("user_id", "=", jane.id)
      .executeTakeFirstOrThrow();
    await sparekey.db.write((trx) =>
      trx.updateTable("emergency_access").set(row).where("user_id", "=", mallory.id).execute(),
    );
    await refused("mallory", code, "wrong_code");
    assert.equal(await sparekey.verify("jane", code), true);
  });

  it("verifies every format that the company may choose, old codes included", async () => {
    const formats = [
      { alphabet: "symbols", length: 10 },
      { alphabet: "digits", length: 8 },
      { alphabet: "symbols", length: 13 },
      { alphabet: "digits", length: 9 },
      { alphabet: "digits", length: 10 },
    ] as const;
    const kept: [string, string][] = [];
    for (const [i, codeFormat] of formats.entries()) {
      await sparekey.changeSettings((settings) => Object.assign(settings, { codeFormat }));
      const user = await sparekey.createUser(`format.${i}`);
      kept.push([`format.${i}`, await sparekey.issue(user.id)]);
    }
    for (const [user, code] of kept) {
      await refused(user, wrong, "wrong_code");
      await refused(user, "12345678", "wrong_code");
      assert.equal(await sparekey.verify(user, code), true, code);
    }
  });
});
