/** Emergency codes: issue, verify, revoke, unlock. Every wire calls these and nothing else. */
import type { CodeFormat, EmergencyAccess, Lifetime } from "@sparekey/contract";
import type { AuditEntry, AuditService } from "../audit/service.ts";
import type { IdempotencyService, PreparedWork, RepeatableCall } from "../idempotency/service.ts";
import type { Keyring } from "../keyring/service.ts";
import { answerOnTheBeat } from "../platform/answer-time.ts";
import type { Clock, Instant } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import type { Random } from "../platform/random.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Administrator, Call } from "../principal.ts";
import type { RevisionService } from "../revision/service.ts";
import type { Tables } from "../schema/tables.ts";
import type { SettingsService } from "../settings/service.ts";
import { type User, type UserChanged, type UsersService, userNotFound } from "../users/service.ts";
import { type Access, endingWithKey, explainAccess, isLocked, statusOf } from "./access-status.ts";
import { generateCode, groupCode } from "./code.ts";
import { digestCode, newRecipe } from "./digest.ts";
import { type EffectivePolicy, expiryOf, resolvePolicy } from "./policy.ts";
import * as store from "./store.ts";
import { type Attempt, type Outcome, Verification } from "./verification-service.ts";

export { countLiveCodes } from "./store.ts";
export { voidAllCodes } from "./void-all-store.ts";

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
  /** The plain code in groups. This value, and its sealed copy for a call that is sent again, are the only places. */
  code: string;
  issuedAt: Instant;
  expiresAt: Instant;
  policy: EffectivePolicy;
}

interface Dependencies {
  db: Database<Tables>;
  companyId: string;
  clock: Clock;
  random: Random;
  keyring: Keyring;
  audit: AuditService;
  settings: SettingsService;
  revision: RevisionService;
  users: UsersService;
  idempotency: IdempotencyService;
}

/** How often a code may be replaced while it is being revoked. */
const maxReplacements = 20;

export class EmergencyCodesService {
  readonly #with: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
  }

  /**
   * Replaces whatever code the user had. A call that is sent again issues nothing: it is answered as before.
   *
   * Refuses with `user_not_found`, `user_disabled`, `protected_user`, `invalid_expiration`.
   */
  async issue(
    call: Call<Administrator>,
    userId: string,
    request: IssueRequest,
    repeatable?: RepeatableCall,
  ): Promise<IssuedCode> {
    const { users, audit, idempotency } = this.#with;
    // Asked for an answer that was given before, too: who may not manage the user any more gets no code of theirs.
    const user = await users.getManageable(call, userId);
    const issued =
      repeatable === undefined
        ? await this.#issueBatched(call, user, request)
        : await idempotency.once(call, repeatable, {
            prepare: () => this.#prepareIssue(call, user, request),
            recordRepeat: (trx, answer) => audit.record(trx, call, repeatEntry(user, answer)),
          });
    if (issued === undefined) throw new Refusal("user_disabled", { answer: `User ${userId} is disabled` });
    return issued;
  }

  /** Says whether the code is accepted, and has spent it or a try by then. */
  async verify(call: Call, attempt: Attempt): Promise<Outcome> {
    const { clock, settings } = this.#with;
    const { answerTimeMs } = (await settings.current()).settings;
    return answerOnTheBeat(clock, answerTimeMs, async () => (await this.prepareVerification(call, attempt)).decide());
  }

  /** The same in two steps, for a caller that decides in a unit of work of its own. */
  prepareVerification(call: Call, attempt: Attempt): Promise<Verification> {
    return Verification.prepare(this.#with, call, attempt);
  }

  /** Ends the user's code online. A user without one is left as is. */
  async revoke(call: Call<Administrator>, userId: string): Promise<void> {
    const { db, companyId, users, audit } = this.#with;
    const { username } = await users.getManageable(call, userId);
    // The record names the code that it ended. Should another have taken its place meanwhile, that one is next.
    for (let tries = 0; tries < maxReplacements; tries++) {
      const access = await store.findAccess(db.read, companyId, userId);
      if (access?.code?.status !== "active") return;
      const codeId = access.code.id;
      const about = { userId, details: { codeId }, personal: { username } };
      const words = await db.apply(store.revoking, userId, () => ({
        input: { companyId, userId, codeId },
        consequences: { revoked: () => audit.prepare(call, { action: "emergency_code.revoked", ...about }) },
      }));
      if (words.includes("revoked")) return;
    }
    throw new Refusal("unavailable", { detail: "the user's codes are replaced faster than they can be revoked" });
  }

  /** Clears failures and lock. */
  async unlock(call: Call<Administrator>, userId: string): Promise<void> {
    const { db, companyId, users, audit } = this.#with;
    const { username } = await users.getManageable(call, userId);
    const about = { userId, personal: { username } };
    await db.apply(store.unlocking, userId, () => ({
      input: { companyId, userId },
      consequences: { unlocked: () => audit.prepare(call, { action: "emergency_access.unlocked", ...about }) },
    }));
  }

  /** How the user stands. Refuses with `user_not_found`. */
  async access(userId: string): Promise<EmergencyAccess> {
    const { db, companyId, clock, keyring } = this.#with;
    const keys = await keyring.fresh();
    const access = await store.findAccess(db.read, companyId, userId);
    if (access === undefined) throw userNotFound(userId);
    const keyRetiredAt = access.code ? keys.retiredAt("code_pepper", access.code.recipe.pepperKid) : null;
    return toEmergencyAccess(endingWithKey(access, keyRetiredAt), clock.now());
  }

  /** Together with others that wait at the same time; undefined when the user is disabled. */
  async #issueBatched(call: Call<Administrator>, user: User, request: IssueRequest): Promise<IssuedCode | undefined> {
    const { db, clock } = this.#with;
    const draft = await this.#draft(call, user, request);
    let made = draft(clock.now());
    const words = await db.apply(store.issuing, user.id, () => {
      made = draft(clock.now());
      return made.operation;
    });
    return words.includes("issued") ? made.issued : undefined;
  }

  /** For a unit of work that keeps the answer as well. */
  async #prepareIssue(call: Call<Administrator>, user: User, request: IssueRequest): Promise<PreparedWork<IssuedCode>> {
    const draft = await this.#draft(call, user, request);
    const { issued, operation } = draft(this.#with.clock.now());
    return { answer: issued, run: async (trx) => (await store.issueIn(trx, operation)).includes("issued") };
  }

  /** A new code, and what comes of it when it is issued at a given instant. */
  async #draft(call: Call<Administrator>, user: User, request: IssueRequest) {
    const { settings: current, version: settingsVersion } = await this.#with.settings.current();
    const policy = resolvePolicy(request, current);
    const { plainCode, ...sealed } = await this.#newCode(user.id, current.codeFormat);
    const issuance = { call, user, request, settingsVersion };
    return (issuedAt: Instant) => {
      const times = { issuedAt, expiresAt: expiryOf(policy.lifetime, issuedAt) };
      const issued: IssuedCode = { id: sealed.id, userId: user.id, code: groupCode(plainCode), ...times, policy };
      return { issued, operation: this.#issuing({ ...sealed, ...times, oneTime: policy.oneTime.value }, issuance) };
    };
  }

  async #newCode(userId: string, format: CodeFormat) {
    const { companyId, random, keyring } = this.#with;
    const plainCode = generateCode(format, random);
    const pepper = (await keyring.fresh()).current("code_pepper");
    const recipe = newRecipe(plainCode, pepper, random);
    const id = random.uuid();
    return {
      plainCode,
      id,
      recipe,
      digest: await digestCode(plainCode, { companyId, userId, codeId: id }, recipe, pepper),
    };
  }

  #issuing(code: store.NewCode, issuance: Issuance) {
    const { companyId, audit } = this.#with;
    const { call, user, request, settingsVersion } = issuance;
    const { id: codeId, expiresAt, oneTime, recipe } = code;
    const { reason, ticket = null } = request;
    const entry = {
      action: "emergency_code.issued" as const,
      userId: user.id,
      details: { codeId, expiresAt, oneTime, settingsVersion, pepperKid: recipe.pepperKid, ticket },
      personal: { username: user.username, ...(reason !== undefined && { reason }) },
    };
    return {
      input: store.codeInputs(companyId, user.id, code),
      consequences: {
        issued: () => audit.prepare(call, entry),
        none: () => audit.prepare(call, { ...entry, outcome: "refused", reason: "user_disabled" }),
      },
    };
  }
}

/** What the record of an issue says besides the code's own data. */
interface Issuance {
  call: Call<Administrator>;
  user: User;
  request: IssueRequest;
  settingsVersion: number;
}

/** The plain code leaves a second time, which is worth a record of its own. */
function repeatEntry(user: User, { id: codeId, expiresAt }: IssuedCode): AuditEntry {
  return {
    action: "emergency_code.issue_repeated",
    userId: user.id,
    details: { codeId, expiresAt },
    personal: { username: user.username },
  };
}

/** Keeps the row that verification depends on in step with the user. */
export function mirrorUserIn(companyId: string): UserChanged {
  return (trx, user) => store.mirrorUser(trx, companyId, user.id, user.status === "enabled");
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
