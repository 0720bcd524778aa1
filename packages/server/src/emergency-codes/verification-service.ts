/**
 * The one verification, which every wire calls.
 *
 * It comes in two steps. `prepareVerification` reads the row and compares, slowly, outside any transaction.
 * `decide` then spends the code or a try in one guarded statement, with its record, in the caller's
 * unit of work. Everyone pays for the same statements and the same hashing, whether or not there is
 * such a user or such a code.
 */
import { createHmac } from "node:crypto";
import type { AuditService, Details } from "../audit/service.ts";
import type { Keyring } from "../keyring/service.ts";
import { addMs, type Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import type { Call } from "../principal.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import type { SettingsService } from "../settings/service.ts";
import { foldLoginName } from "../users/service.ts";
import { type Access, type RefusalReason, refusalReason } from "./access-status.ts";
import { type PlainCode, readCode } from "./code.ts";
import { type CodeDigest, digestCode, digestsEqual, dummyRecipe } from "./digest.ts";
import { maxConsecutiveFailures } from "./policy.ts";
import * as store from "./store.ts";

/** What became of a typed code. The reason is for the record and the help desk alone. */
export type Outcome = { accepted: true; userId: string } | { accepted: false; reason: RefusalReason };

export interface Attempt {
  /** Username, alternate username or email, as typed. */
  user: string;
  /** As typed. */
  code: string;
  /** The authentication attempt that it belongs to, for the record. */
  attemptId?: string;
}

/** A verification that is ready to be decided, once, in a unit of work. */
export interface Verification {
  decide(trx: Connection): Promise<Outcome>;
  /** How long every answer takes, so that none tells more than another. */
  answerTimeMs: number;
}

export interface VerificationDependencies {
  db: Database<Tables>;
  companyId: string;
  clock: Clock;
  keyring: Keyring;
  audit: AuditService;
  settings: SettingsService;
}

/** Stands where a user or a code has no id; no row has it. */
const nobody = "";

export async function prepareVerification(
  { db, companyId, clock, keyring, audit, settings }: VerificationDependencies,
  call: Call,
  attempt: Attempt,
): Promise<Verification> {
  const folded = foldLoginName(attempt.user);
  const plainCode = readCode(attempt.code);
  const [access, { settings: current, version }] = await Promise.all([
    store.findAccessByLoginName(db.read, companyId, folded),
    settings.current(),
  ]);
  const matched = plainCode !== undefined && (await matches(plainCode, access));
  const userId = access?.userId ?? nobody;
  const codeId = access?.code?.id ?? nobody;

  async function matches(code: PlainCode, found: Access | undefined): Promise<boolean> {
    const stored = found?.code;
    const pepper = keyring.find("code_pepper", stored?.recipe.pepperKid ?? nobody) ?? keyring.current("code_pepper");
    // Digest the input even when there is nothing to compare it with. Skipping it would answer faster
    // for unknown users and turn this into a directory of who exists.
    const recipe = stored?.recipe ?? dummyRecipe(code, pepper);
    const binding = { companyId, userId: found?.userId ?? nobody, codeId: stored?.id ?? nobody };
    const digest = await digestCode(code, binding, recipe, pepper);
    return digestsEqual(digest, stored?.digest ?? ("" as CodeDigest));
  }

  async function decide(trx: Connection): Promise<Outcome> {
    const now = clock.now();
    // A slip of the hand says nothing about the secret and costs no try: it can match no row.
    const guarded = plainCode === undefined ? nobody : codeId;
    const decided = await store.decide(trx, companyId, {
      userId,
      codeId: guarded,
      matched,
      now,
      tries: current.lockout.tries,
      lockUntil: addMs(now, current.lockout.lockMinutes * 60_000),
    });
    if (decided !== undefined && matched) {
      await record(trx, undefined, { consumed: decided.status === "consumed" });
      return { accepted: true, userId };
    }
    const reason = await reasonFor(trx, decided, now);
    await record(trx, reason, decided === undefined ? {} : { failures: decided.failures });
    if (decided !== undefined) await recordConsequences(trx, decided);
    return { accepted: false, reason };
  }

  async function reasonFor(trx: Connection, decided: store.Decided | undefined, now: Parameters<typeof refusalReason>[2]) {
    const row = await store.findAccess(trx, companyId, userId);
    if (plainCode === undefined) return "slip";
    return decided === undefined ? refusalReason(row, codeId, now) : "wrong_code";
  }

  async function record(trx: Connection, reason: RefusalReason | undefined, details: Details) {
    const known = access !== undefined;
    await audit.record(trx, call, {
      action: "emergency_code.verified",
      outcome: reason === undefined ? "success" : "refused",
      ...(reason !== undefined && { reason }),
      userId: known ? userId : undefined,
      details: {
        ...details,
        ...(attempt.attemptId !== undefined && { attemptId: attempt.attemptId }),
        codeId: codeId === nobody ? null : codeId,
        settingsVersion: version,
        // People type codes and passwords into name fields, so an unknown name is kept only as a keyed digest.
        ...(!known && digestName(folded, keyring)),
      },
      ...(known && { personal: { loginName: folded } }),
    });
  }

  async function recordConsequences(trx: Connection, { lockedUntil, failures, status }: store.Decided) {
    if (lockedUntil !== null) {
      await audit.record(trx, call, { action: "emergency_access.locked", userId, details: { codeId, lockedUntil, failures } });
    }
    if (status === "revoked" && failures >= maxConsecutiveFailures) {
      await audit.record(trx, call, {
        action: "emergency_code.revoked",
        reason: "too_many_failures",
        userId,
        details: { codeId, failures },
      });
    }
  }

  return { decide, answerTimeMs: current.answerTimeMs };
}

function digestName(folded: string, keyring: Keyring): Details {
  const key = keyring.current("name_digest");
  return { nameDigest: createHmac("sha256", key.bytes).update(folded).digest("base64url"), nameKid: key.kid };
}
