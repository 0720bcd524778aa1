import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addMs, type Instant, instantFromMs } from "../platform/clock.ts";
import { type Access, explainAccess, isLocked, refusalReason, type StoredCode, statusOf } from "./access-status.ts";
import type { CodeDigest } from "./digest.ts";

const now = instantFromMs(Date.UTC(2026, 0, 1, 12));
const soon = addMs(now, 60_000);
const before = addMs(now, -60_000);

const code: StoredCode = {
  id: "code-1",
  status: "active",
  digest: "digest" as CodeDigest,
  recipe: { salt: "", algorithm: "pbkdf2-sha256", iterations: 100, pepperKid: "pepper-1" },
  oneTime: false,
  issuedAt: before,
  expiresAt: soon,
};
const good: Access = {
  userId: "jane",
  userEnabled: true,
  code,
  lastUsedAt: null,
  tries: 0,
  failures: 0,
  lockedUntil: null,
};
const withCode = (change: Partial<StoredCode>): Access => ({ ...good, code: { ...code, ...change } });

describe("how a user's emergency access stands", () => {
  it("is active until the instant at which the code ends, and expired from that instant on", () => {
    assert.equal(statusOf(good, addMs(soon, -1)), "active");
    assert.equal(statusOf(good, soon), "expired");
    assert.equal(statusOf(good, addMs(soon, 1)), "expired");
  });

  it("stays consumed or revoked when the code's end comes", () => {
    assert.equal(statusOf(withCode({ status: "consumed" }), addMs(soon, 1)), "consumed");
    assert.equal(statusOf(withCode({ status: "revoked" }), addMs(soon, 1)), "revoked");
    assert.equal(statusOf({ ...good, code: undefined }, now), "none");
  });

  it("is locked until the instant at which the lock ends, and no longer", () => {
    const locked = { ...good, lockedUntil: soon };
    assert.equal(isLocked(locked, addMs(soon, -1)), true);
    assert.equal(isLocked(locked, soon), false);
    assert.equal(isLocked(good, now), false);
  });
});

describe("why nothing could be spent", () => {
  const cases: [string, Access | undefined][] = [
    ["unknown_user", undefined],
    ["no_code", { ...good, code: undefined }],
    ["user_disabled", { ...good, userEnabled: false }],
    ["consumed", withCode({ status: "consumed" })],
    ["revoked", withCode({ status: "revoked" })],
    ["expired", withCode({ expiresAt: now })],
    ["locked", { ...good, lockedUntil: soon }],
    ["overtaken", good],
  ];
  for (const [reason, access] of cases) {
    it(`is ${reason}`, () => assert.equal(refusalReason(access, now), reason));
  }
  it("is key_retired from the instant at which the key ends", () => {
    assert.equal(refusalReason(good, now, soon), "overtaken");
    assert.equal(refusalReason(good, now, now), "key_retired");
  });
});

describe("the sentence for the help desk", () => {
  const cases: [string, Access, RegExp][] = [
    ["a code that works", good, /^The user can sign in with the code until 2026-01-01T12:01:00\.000Z\.$/],
    ["a one-time code that works", withCode({ oneTime: true }), /until .*, once\.$/],
    ["a disabled user", { ...good, userEnabled: false }, /disabled: no code works until the user is enabled/],
    ["no code", { ...good, code: undefined }, /No emergency code was ever issued: issue one/],
    [
      "a lock",
      { ...good, tries: 10, failures: 10, lockedUntil: soon },
      /^Locked until 2026-01-01T12:01:00\.000Z after 10 wrong codes: wait, or unlock/,
    ],
    [
      "a lock that is over",
      { ...good, tries: 10, failures: 10, lockedUntil: before as Instant },
      /^The user can sign in/,
    ],
    [
      "a void code",
      { ...withCode({ status: "revoked" }), failures: 100 },
      /void after 100 wrong codes in a row: unlock the user and issue/,
    ],
    ["a revoked code", withCode({ status: "revoked" }), /revoked: issue a new one/],
    [
      "a used code",
      { ...withCode({ status: "consumed" }), lastUsedAt: before },
      /used at 2026-01-01T11:59:00\.000Z: issue/,
    ],
    ["an expired code", withCode({ expiresAt: now }), /expired at 2026-01-01T12:00:00\.000Z: issue/],
  ];
  for (const [what, access, sentence] of cases) {
    it(`says for ${what} whether it helps, and what to do`, () => assert.match(explainAccess(access, now), sentence));
  }
});
