import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { AuditEvent, User } from "@sparekey/contract";
import { type Answer, startInstallation, type TestInstallation } from "../testing/installation.ts";
import { commitTo } from "./canonical.ts";

const wrong = "00000000000";

describe("the record", () => {
  let sparekey: TestInstallation;
  let jane: User;
  before(async () => {
    sparekey = await startInstallation();
    jane = await sparekey.createUser("jane.doe");
  });
  after(() => sparekey.close());

  async function events(query: string): Promise<AuditEvent[]> {
    return (await sparekey.admin("GET", `/api/v1/audit/events?${query}`)).body.events;
  }
  /** What a call left in the record. */
  async function recordedBy(work: () => Promise<unknown>): Promise<AuditEvent[]> {
    const { sequence = 0 } = (await events("last=1"))[0] ?? {};
    await work();
    return events(`after=${sequence}&limit=1000`);
  }
  const words = (found: AuditEvent[]) =>
    found.map(({ action, reason }) => (reason === null ? action : `${action}/${reason}`));

  const own = (path: string) => `/api/v1/users/${jane.id}/${path}`;
  const vendor = (path: string) => `/AdminInterface/restapi/v1/users/${jane.id}/${path}`;
  const setStatus = (userStatus: string) => sparekey.admin("PUT", vendor("userStatus"), { userStatus });
  const unlock = () => sparekey.admin("PATCH", vendor("methods"), { unlockMethods: ["EMERGENCY_TOKENCODE"] });
  const revoke = () => sparekey.admin("DELETE", own("emergency-code"));

  it("holds one record of every change, and none of a call that changed nothing", async () => {
    const steps: [string[], () => Promise<unknown>][] = [
      [["user.created"], () => sparekey.createUser("new.user")],
      [[], () => sparekey.createUser("new.user")],
      [["user.updated"], () => sparekey.createUser("new.user", { email: "other@example.com" })],
      [["user.disabled"], () => sparekey.createUser("new.user", { email: "other@example.com", status: "disabled" })],
      [["user.disabled"], () => setStatus("Disabled")],
      [[], () => setStatus("Disabled")],
      [["user.enabled"], () => setStatus("Enabled")],
      [[], revoke],
      [["emergency_code.issued"], () => sparekey.issue(jane.id)],
      [["emergency_code.issued"], () => sparekey.admin("PUT", vendor("emergencyTokencode"), { expirationDays: 1 })],
      [["emergency_code.revoked"], revoke],
      [[], revoke],
      [[], unlock],
      [["settings.changed"], () => sparekey.changeSettings((settings) => Object.assign(settings, { attemptTries: 4 }))],
    ];
    for (const [expected, step] of steps) assert.deepEqual(words(await recordedBy(step)), expected, String(step));
  });

  it("holds one record of every attempt to use a code, and one of each lock and unlock", async () => {
    const code = await sparekey.issue(jane.id, { oneTime: true });
    const steps: [string[], () => Promise<unknown>][] = [
      [["emergency_code.verified/wrong_code"], () => sparekey.verify("jane.doe", wrong)],
      [["emergency_code.verified/slip"], () => sparekey.verify("jane.doe", "7K3M")],
      [["emergency_code.verified"], () => sparekey.verify("jane.doe", code)],
      [["emergency_code.verified/consumed"], () => sparekey.verify("jane.doe", code)],
      [["emergency_code.verified/unknown_user"], () => sparekey.verify("nobody", code)],
    ];
    for (const [expected, step] of steps) assert.deepEqual(words(await recordedBy(step)), expected, String(step));

    await sparekey.issue(jane.id);
    for (let i = 0; i < 9; i++) await sparekey.verify("jane.doe", wrong);
    assert.deepEqual(words(await recordedBy(() => sparekey.verify("jane.doe", wrong))), [
      "emergency_code.verified/wrong_code",
      "emergency_access.locked",
    ]);
    assert.deepEqual(words(await recordedBy(() => sparekey.verify("jane.doe", wrong))), [
      "emergency_code.verified/locked",
    ]);
    assert.deepEqual(words(await recordedBy(unlock)), ["emergency_access.unlocked"]);
  });

  it("holds every refusal of a principal and of a disabled user's code", async () => {
    const call = () =>
      sparekey.call("PUT", vendor("emergencyTokencode"), { headers: { authorization: "Bearer x.y.z" }, body: {} });
    assert.deepEqual(words(await recordedBy(call)), ["principal.refused/malformed"]);
    const bad = () => sparekey.call("POST", "/api/v1/verify", { body: { user: "jane.doe", code: wrong } });
    assert.deepEqual(words(await recordedBy(bad)), ["principal.refused/unknown_client_key"]);
    await setStatus("Disabled");
    const refused = await recordedBy(() => sparekey.admin("POST", own("emergency-code"), {}));
    assert.deepEqual(words(refused), ["emergency_code.issued/user_disabled"]);
    assert.equal(refused[0]?.outcome, "refused");
    await setStatus("Enabled");
  });

  it("says who, whom, from where, why and which request", async () => {
    let answer: Answer | undefined;
    const body = { lifetime: { value: 2, unit: "hours" }, oneTime: true, reason: "lost phone", ticket: "HD-42" };
    const [event] = await recordedBy(async () => {
      answer = await sparekey.admin("POST", own("emergency-code"), body);
    });
    assert.deepEqual(event?.actor, { kind: "administrator", id: sparekey.keyFile.accessID });
    assert.deepEqual([event?.userId, event?.at, event?.outcome], [jane.id, sparekey.clock.now(), "success"]);
    assert.equal(event?.requestId, answer?.headers.get("x-request-id"));
    assert.deepEqual(event?.personal, { address: "127.0.0.1", reason: "lost phone", username: "jane.doe" });
    const { codeId, expiresAt, oneTime, ticket, settingsVersion } = event?.details ?? {};
    assert.deepEqual(
      { codeId, expiresAt, oneTime, ticket },
      {
        ...{ codeId: answer?.body.id, expiresAt: answer?.body.expiresAt },
        ...{ oneTime: true, ticket: "HD-42" },
      },
    );
    assert.equal(typeof settingsVersion, "number");
  });

  it("keeps the name of an unknown user as a keyed digest alone, the same for every spelling", async () => {
    const typed = "Correct-Horse-Battery-Staple";
    const found = await recordedBy(async () => {
      await sparekey.verify(typed, wrong);
      await sparekey.verify(` ${typed.toUpperCase()}`, wrong);
      await sparekey.verify("someone.else", wrong);
    });
    const digests = found.map(({ details }) => String(details.nameDigest));
    assert.match(digests[0] ?? "", /^[\w-]{43}$/);
    assert.equal(digests[0], digests[1]);
    assert.notEqual(digests[0], digests[2]);
    assert.ok(
      found.every(({ userId, personal }) => userId === null && Object.keys(personal ?? {}).join() === "address"),
    );
    const rows = await sparekey.db.read.selectFrom("audit_events").selectAll().execute();
    const personal = await sparekey.db.read.selectFrom("audit_personal").selectAll().execute();
    assert.ok(!JSON.stringify([rows, personal]).toLowerCase().includes("horse"));
  });

  it("commits to what is personal, and stands when that is erased", async () => {
    const { sequence, id, personalCommitment } = (await events(`userId=${jane.id}&limit=1`))[0] as AuditEvent;
    const row = await sparekey.db.read
      .selectFrom("audit_personal")
      .select(["salt", "personal"])
      .where("event_id", "=", id)
      .executeTakeFirstOrThrow();
    assert.equal(commitTo(Buffer.from(row.salt, "base64url"), row.personal), personalCommitment);
    await sparekey.db.migrate((owner) => owner.deleteFrom("audit_personal").where("event_id", "=", id).execute());
    const [erased] = await events(`after=${sequence - 1}&limit=1`);
    assert.deepEqual([erased?.id, erased?.personal, erased?.personalCommitment], [id, null, personalCommitment]);
  });
});
