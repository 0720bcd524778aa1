/** Emergency codes: issue, verify, revoke, unlock. Every wire calls these and nothing else. */
import type { EmergencyAccess, Lifetime } from "@sparekey/contract";
import type { AuditService } from "../audit/service.ts";
import type { Keyring } from "../keyring/service.ts";
import { answerOnTheBeat } from "../platform/answer-time.ts";
import { addMs, type Clock, type Instant } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import type { Random } from "../platform/random.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Administrator, Call } from "../principal.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import type { SettingsChanged, SettingsService } from "../settings/service.ts";
import { type User, type UserChanged, type UsersService, userNotFound } from "../users/service.ts";
import { type Access, explainAccess, isLocked, statusOf } from "./access-status.ts";
import { generateCode, groupCode } from "./code.ts";
import { digestCode, newRecipe } from "./digest.ts";
import { type EffectivePolicy, expiryOf, resolvePolicy } from "./policy.ts";
import * as store from "./store.ts";
import { type Attempt, type Outcome, prepareVerification, type Verification } from "./verification-service.ts";

export type { EffectivePolicy } from "./policy.ts";
export type { Attempt, Outcome, Verification } from "./verification-service.ts";

export interface IssueRequest {
  lifetime?: Lifetime | undefined;
  oneTime?: boolean | undefined;
  /** For the record. */
  reason?: string | undefined;
  ticket?: string | undefined;
}

export interface IssuedCode {
  id: string;
  userId: string;
  /** The plain code in groups. This value is the only place where it appears. */
  code: string;
  issuedAt: Instant;
  expiresAt: Instant;
  policy: EffectivePolicy;
}

export interface EmergencyCodesService {
  /** Replaces whatever code the user had. Refuses with `user_not_found`, `user_disabled`, `protected_user`, `invalid_expiration`. */
  issue(call: Call<Administrator>, userId: string, request: IssueRequest): Promise<IssuedCode>;
  /** Says whether the code is accepted, and has spent it or a try by then. */
  verify(call: Call, attempt: Attempt): Promise<Outcome>;
  /** The same in two steps, for a caller that decides in a unit of work of its own. */
  prepareVerification(call: Call, attempt: Attempt): Promise<Verification>;
  /** Ends the user's code online. A user without one is left as is. */
  revoke(call: Call<Administrator>, userId: string): Promise<void>;
  /** Clears failures and lock. */
  unlock(call: Call<Administrator>, userId: string): Promise<void>;
  access(userId: string): Promise<EmergencyAccess>;
}

interface Dependencies {
  clock: Clock;
  random: Random;
  keyring: Keyring;
  audit: AuditService;
  settings: SettingsService;
  users: UsersService;
}

export function createEmergencyCodesService(
  db: Database<Tables>,
  companyId: string,
  { clock, random, keyring, audit, settings, users }: Dependencies,
): EmergencyCodesService {
  async function issue(call: Call<Administrator>, userId: string, request: IssueRequest): Promise<IssuedCode> {
    const [user, { settings: current, version }] = await Promise.all([
      users.getManageable(call, userId),
      settings.current(),
    ]);
    const policy = resolvePolicy(request, current);
    const plainCode = generateCode(current.codeFormat, random);
    const pepper = keyring.current("code_pepper");
    const recipe = newRecipe(plainCode, pepper, random);
    const id = random.uuid();
    const digest = await digestCode(plainCode, { companyId, userId, codeId: id }, recipe, pepper);

    const issued = await db.write(async (trx) => {
      const issuedAt = clock.now();
      const code = { id, digest, recipe, oneTime: policy.oneTime.value, issuedAt, expiresAt: expiryOf(policy.lifetime, issuedAt) };
      const done = await store.replaceCode(trx, companyId, userId, code);
      await recordIssue(trx, call, user, request, { ...code, version, done });
      return done ? code : undefined;
    });
    if (issued === undefined) throw new Refusal("user_disabled", { answer: `User ${userId} is disabled` });
    return { id, userId, code: groupCode(plainCode), issuedAt: issued.issuedAt, expiresAt: issued.expiresAt, policy };
  }

  async function recordIssue(
    trx: Connection,
    call: Call,
    user: User,
    request: IssueRequest,
    code: store.NewCode & { version: number; done: boolean },
  ) {
    const { reason = null, ticket = null } = request;
    await audit.record(trx, call, {
      action: "emergency_code.issued",
      ...(!code.done && { outcome: "refused", reason: "user_disabled" }),
      userId: user.id,
      details: {
        codeId: code.id,
        expiresAt: code.expiresAt,
        oneTime: code.oneTime,
        settingsVersion: code.version,
        pepperKid: code.recipe.pepperKid,
        ticket,
      },
      personal: { username: user.username, ...(reason !== null && { reason }) },
    });
  }

  const dependencies = { db, companyId, clock, keyring, audit, settings };

  return {
    issue,
    prepareVerification: (call, attempt) => prepareVerification(dependencies, call, attempt),
    verify: async (call, attempt) => {
      const { answerTimeMs } = (await settings.current()).settings;
      return answerOnTheBeat(clock, answerTimeMs, async () => {
        const verification = await prepareVerification(dependencies, call, attempt);
        return db.write((trx) => verification.decide(trx));
      });
    },
    revoke: async (call, userId) => {
      const user = await users.getManageable(call, userId);
      await db.write(async (trx) => {
        const codeId = await store.revokeCode(trx, companyId, userId);
        if (codeId === undefined) return;
        await audit.record(trx, call, {
          action: "emergency_code.revoked",
          userId,
          details: { codeId },
          personal: { username: user.username },
        });
      });
    },
    unlock: async (call, userId) => {
      const user = await users.getManageable(call, userId);
      await db.write(async (trx) => {
        if (!(await store.clearFailures(trx, companyId, userId))) return;
        await audit.record(trx, call, { action: "emergency_access.unlocked", userId, personal: { username: user.username } });
      });
    },
    access: async (userId) => {
      const access = await store.findAccess(db.read, companyId, userId);
      if (access === undefined) throw userNotFound(userId);
      return toEmergencyAccess(access, clock.now());
    },
  };
}

/** Keeps the row that verification depends on in step with the user. */
export function mirrorUserIn(companyId: string): UserChanged {
  return (trx, user) => store.mirrorUser(trx, companyId, user.id, user.status === "enabled");
}

/** A lowered limit holds at once, also for those who have already used it up. */
export function applyLockoutIn(companyId: string, clock: Clock, audit: AuditService): SettingsChanged {
  return async (trx, call, before, { lockout }) => {
    if (lockout.tries >= before.lockout.tries) return;
    const lockedUntil = addMs(clock.now(), lockout.lockMinutes * 60_000);
    for (const userId of await store.lockTriesUsedUp(trx, companyId, lockout.tries, lockedUntil)) {
      const details = { lockedUntil };
      await audit.record(trx, call, { action: "emergency_access.locked", reason: "limit_lowered", userId, details });
    }
  };
}

function toEmergencyAccess(access: Access, now: Instant): EmergencyAccess {
  const { code } = access;
  const locked = isLocked(access, now);
  return {
    userId: access.userId,
    userStatus: access.userEnabled ? "enabled" : "disabled",
    status: statusOf(access, now),
    codeId: code?.id ?? null,
    issuedAt: code?.issuedAt ?? null,
    expiresAt: code?.expiresAt ?? null,
    offlineExpiresAt: null,
    oneTime: code?.oneTime ?? false,
    lastUsedAt: access.lastUsedAt,
    failures: access.failures,
    locked,
    lockedUntil: locked ? access.lockedUntil : null,
    explanation: explainAccess(access, now),
  };
}
