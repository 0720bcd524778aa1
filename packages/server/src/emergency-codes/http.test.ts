import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { User } from "@sparekey/contract";
import { assertErrorShape } from "../testing/error-shape.ts";
import { type Answer, startInstallation, type TestInstallation } from "../testing/installation.ts";
import { changesNothing } from "../testing/state.ts";

const wrong = "00000000000";
const nobody = "00000000-0000-4000-8000-000000000000";
const minuteMs = 60_000;

describe("our own calls around one user's code", () => {
  let sparekey: TestInstallation;
  let user: User;
  let users = 0;
  before(async () => {
    sparekey = await startInstallation();
  });
  after(() => sparekey.close());
  beforeEach(async () => {
    users += 1;
    user = await sparekey.createUser(`user${users}.test`);
  });

  const codePath = (id = user.id) => `/api/v1/users/${id}/emergency-code`;
  const accessPath = (id = user.id) => `/api/v1/users/${id}/emergency-access`;
  const issue = (body: unknown) => sparekey.admin("POST", codePath(), body);
  const access = async () => (await sparekey.admin("GET", accessPath())).body;
  const inMinutes = (minutes: number) => new Date(Date.parse(sparekey.clock.now()) + minutes * minuteMs).toISOString();
  const configure = (change: object) =>
    sparekey.changeSettings(({ onlineEmergencyCode }) => void Object.assign(onlineEmergencyCode, change));

  function assertProblem(answer: Answer, status: number, code: string, path = codePath()) {
    assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
    assertErrorShape(path, answer);
  }

  it("200 issues a code and says which settings hold and where each came from", async () => {
    const lifetime = { value: 2, unit: "hours" };
    const byDefault = { value: 1, unit: "days", source: "default" };
    const cases = [
      [{}, byDefault, { value: false, source: "default" }],
      [{ lifetime }, { ...lifetime, source: "asked" }, { value: false, source: "default" }],
      [{ oneTime: true }, byDefault, { value: true, source: "asked" }],
      [
        { lifetime, oneTime: false },
        { ...lifetime, source: "asked" },
        { value: false, source: "asked" },
      ],
    ] as const;
    for (const [asked, expectedLifetime, oneTime] of cases) {
      const { status, body } = await issue(asked);
      assert.equal(status, 200);
      const { id, code, ...rest } = body;
      assert.match(code, /^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{3}$/);
      assert.deepEqual(rest, {
        userId: user.id,
        issuedAt: sparekey.clock.now(),
        expiresAt: inMinutes(expectedLifetime.unit === "hours" ? 120 : 1_440),
        offlineExpiresAt: null,
        settings: { lifetime: expectedLifetime, oneTime },
      });
      assert.equal((await access()).codeId, id);
      assert.equal(await sparekey.verify(user.username, code), true);
    }
  });

  it("200 under the lock, which is said to be the source of everything", async () => {
    await configure({ expiryUnit: "minutes", expiryValue: 30, oneTimeUse: true, locked: true });
    for (const asked of [{}, { lifetime: { value: 7, unit: "days" }, oneTime: false }]) {
      const { body } = await issue(asked);
      const { lifetime, oneTime } = body.settings;
      assert.deepEqual(lifetime, { value: 30, unit: "minutes", source: "lock" });
      assert.deepEqual(oneTime, { value: true, source: "lock" });
      assert.equal(body.expiresAt, inMinutes(30));
    }
    assertProblem(await issue({ lifetime: { value: 8, unit: "days" } }), 400, "invalid_expiration");
    await configure({ expiryUnit: "days", expiryValue: 1, oneTimeUse: false, locked: false });
  });

  it("200 keeps reason and ticket for the record", async () => {
    const { body } = await issue({ reason: "Lost phone, manager called back", ticket: "INC-4711" });
    const [event] = (await sparekey.admin("GET", "/api/v1/audit/events?action=emergency_code.issued&last=1")).body
      .events;
    assert.deepEqual([event.userId, event.details.codeId, event.details.ticket], [user.id, body.id, "INC-4711"]);
    assert.equal(event.personal.reason, "Lost phone, manager called back");
    assert.ok(!JSON.stringify(event).includes(body.code));
  });

  it("400 for a request that is none", async () => {
    const bodies: unknown[] = [
      ...[0, -1, 1.5, 10_081, "1", null].map((value) => ({ lifetime: { value, unit: "minutes" } })),
      ...["weeks", "", null, 1].map((unit) => ({ lifetime: { value: 1, unit } })),
      ...[{ value: 8, unit: "days" }, { value: 1 }, { unit: "days" }, {}, [], "7 days", null].map((lifetime) => ({
        lifetime,
      })),
      ...["true", 1, null].map((oneTime) => ({ oneTime })),
      ...[1, null, "x".repeat(501)].map((reason) => ({ reason })),
      ...[1, null, "x".repeat(101)].map((ticket) => ({ ticket })),
      { lifetime: { value: 1, unit: "days", forever: true } },
      { oneTimeUse: true },
    ];
    for (const body of bodies) {
      const answer = await changesNothing(sparekey, () => issue(body));
      assert.equal(answer.status, 400, JSON.stringify(body));
      assertErrorShape(codePath(), answer);
    }
  });

  it("400 for a disabled user, 404 for an unknown one, who leaves no trace", async () => {
    await sparekey.createUser(user.username, { status: "disabled" });
    assertProblem(await changesNothing(sparekey, () => issue({})), 400, "user_disabled");
    for (const [method, path, body] of [
      ["POST", codePath(nobody), {}],
      ["DELETE", codePath(nobody), undefined],
      ["GET", accessPath(nobody), undefined],
    ] as const) {
      const answer = await changesNothing(sparekey, () => sparekey.admin(method, path, body));
      assertProblem(answer, 404, "user_not_found", path);
      assert.equal(answer.body.detail, `User ${nobody} not found`);
    }
  });

  it("204 revokes, and again when there is nothing to revoke", async () => {
    const code = await sparekey.issue(user.id);
    assert.equal((await sparekey.admin("DELETE", codePath())).status, 204);
    assert.equal(await sparekey.verify(user.username, code), false);
    assert.equal((await changesNothing(sparekey, () => sparekey.admin("DELETE", codePath()))).status, 204);
  });

  describe("how the user stands", () => {
    const explain = async () => {
      const { status, locked, explanation } = await access();
      return { status, locked, explanation };
    };

    it("200 before there was a code", async () => {
      assert.deepEqual(await access(), {
        ...{ userId: user.id, userStatus: "enabled", status: "none", codeId: null, issuedAt: null, expiresAt: null },
        ...{ offlineExpiresAt: null, oneTime: false, lastUsedAt: null, failures: 0, locked: false, lockedUntil: null },
        explanation: "No emergency code was ever issued: issue one.",
      });
    });

    it("200 with an active code: until when, how often, and what was tried", async () => {
      const { body: issued } = await issue({ oneTime: true });
      await sparekey.verify(user.username, wrong);
      await sparekey.verify(user.username, wrong);
      await sparekey.verify(user.username, "a slip of the hand");
      const { explanation, ...rest } = await access();
      assert.deepEqual(rest, {
        ...{ userId: user.id, userStatus: "enabled", status: "active", codeId: issued.id, issuedAt: issued.issuedAt },
        ...{ expiresAt: issued.expiresAt, offlineExpiresAt: null, oneTime: true, lastUsedAt: null },
        ...{ failures: 2, locked: false, lockedUntil: null },
      });
      assert.equal(explanation, `The user can sign in with the code until ${issued.expiresAt}, once.`);
      const { body: reusable } = await issue({});
      assert.equal((await explain()).explanation, `The user can sign in with the code until ${reusable.expiresAt}.`);
    });

    it("200 with a code that is used up, at its end, or revoked", async () => {
      await sparekey.verify(user.username, await sparekey.issue(user.id, { oneTime: true }));
      const usedAt = sparekey.clock.now();
      const used = `The one-time code was used at ${usedAt}: issue a new one.`;
      assert.deepEqual(await explain(), { status: "consumed", locked: false, explanation: used });
      assert.equal((await access()).lastUsedAt, usedAt);

      const { body: short } = await issue({ lifetime: { value: 1, unit: "minutes" } });
      sparekey.clock.advance(minuteMs);
      const expired = `The code expired at ${short.expiresAt}: issue a new one.`;
      assert.deepEqual(await explain(), { status: "expired", locked: false, explanation: expired });

      await issue({});
      await sparekey.admin("DELETE", codePath());
      const revoked = "The code was revoked: issue a new one.";
      assert.deepEqual(await explain(), { status: "revoked", locked: false, explanation: revoked });
    });

    it("200 with a user who is locked, until the lock ends", async () => {
      const code = await sparekey.issue(user.id);
      for (let tries = 0; tries < 10; tries += 1) await sparekey.verify(user.username, wrong);
      const until = inMinutes(30);
      const { failures, lockedUntil } = await access();
      assert.deepEqual([failures, lockedUntil], [10, until]);
      const locked = `Locked until ${until} after 10 wrong codes: wait, or unlock the user.`;
      assert.deepEqual(await explain(), { status: "active", locked: true, explanation: locked });
      sparekey.clock.advance(30 * minuteMs);
      assert.equal((await explain()).locked, false);
      assert.equal((await access()).lockedUntil, null);
      assert.equal(await sparekey.verify(user.username, code), true);
      assert.equal((await access()).failures, 0);
    });

    it("200 with a user who is disabled", async () => {
      await issue({});
      await sparekey.createUser(user.username, { status: "disabled" });
      const { userStatus, status, explanation } = await access();
      assert.deepEqual([userStatus, status], ["disabled", "active"]);
      assert.equal(explanation, "The user is disabled: no code works until the user is enabled.");
    });
  });
});
