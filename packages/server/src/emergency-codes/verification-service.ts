/**
 * The one verification, which every wire calls.
 *
 * It comes in two steps. `prepare` reads the row and compares, slowly, outside any transaction. `decide`
 * then spends the code or a try in one guarded statement, with its record, in the caller's unit of work.
 * Everyone pays for the same statements and the same hashing, whether or not there is such a user or
 * such a code.
 */
import { createHmac } from "node:crypto";
import type { AuditService, Details } from "../audit/service.ts";
import type { Key, Keyring, Keys } from "../keyring/service.ts";
import { addMs, type Clock, type Instant } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Call } from "../principal.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import type { SettingsService } from "../settings/service.ts";
import { foldLoginName } from "../users/service.ts";
import { type Access, type RefusalReason, refusalReason, type StoredCode } from "./access-status.ts";
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

interface Dependencies {
  db: Database<Tables>;
  companyId: string;
  clock: Clock;
  keyring: Keyring;
  audit: AuditService;
  settings: SettingsService;
}

/** What is known before the decision. */
interface Prepared {
  call: Call;
  attempt: Attempt;
  keys: Keys;
  folded: string;
  access: Access | undefined;
  /** True when what was typed cannot be a code at all. */
  slip: boolean;
  matched: boolean;
}

/** Stands where a user or a code has no id; no row has it. */
const nobody = "";

/** A verification that is ready to be decided, once, in a unit of work. */
export class Verification {
  readonly #with: Dependencies;
  readonly #prepared: Prepared;
  readonly #userId: string;
  readonly #codeId: string;

  private constructor(dependencies: Dependencies, prepared: Prepared) {
    this.#with = dependencies;
    this.#prepared = prepared;
    this.#userId = prepared.access?.userId ?? nobody;
    this.#codeId = prepared.access?.code?.id ?? nobody;
  }

  static async prepare(dependencies: Dependencies, call: Call, attempt: Attempt): Promise<Verification> {
    const { db, companyId, keyring } = dependencies;
    const keys = await keyring.fresh();
    const folded = foldLoginName(attempt.user);
    const code = readCode(attempt.code);
    const access = await store.findAccessByLoginName(db.read, companyId, folded);
    const matched = code !== undefined && (await matches(companyId, keys, code, access));
    const slip = code === undefined;
    return new Verification(dependencies, { call, attempt, keys, folded, access, slip, matched });
  }

  async decide(trx: Connection): Promise<Outcome> {
    const { companyId, clock, settings } = this.#with;
    const { matched, slip } = this.#prepared;
    // Read here and not before, so that a limit that was lowered meanwhile holds for this guess too.
    const { settings: current, version: settingsVersion } = await settings.currentIn(trx);
    const { tries, lockMinutes } = current.lockout;
    const now = clock.now();
    const decided = await store.decide(trx, companyId, {
      userId: this.#userId,
      // A slip of the hand says nothing about the secret and costs no try: it is held against no row.
      codeId: slip ? nobody : this.#codeId,
      matched,
      now,
      tries,
      lockUntil: addMs(now, lockMinutes * 60_000),
    });
    if (decided !== undefined && matched) {
      await this.#record(trx, undefined, { settingsVersion, consumed: decided.status === "consumed" });
      return { accepted: true, userId: this.#userId };
    }
    const reason = await this.#reasonFor(trx, decided, now);
    await this.#record(trx, reason, { settingsVersion, ...(decided && { failures: decided.failures }) });
    if (decided !== undefined) await this.#recordConsequences(trx, decided);
    return { accepted: false, reason };
  }

  async #reasonFor(trx: Connection, decided: store.Decided | undefined, now: Instant): Promise<RefusalReason> {
    const row = await store.findAccess(trx, this.#with.companyId, this.#userId);
    if (this.#prepared.slip) return "slip";
    return decided === undefined ? refusalReason(row, this.#codeId, now) : "wrong_code";
  }

  async #record(trx: Connection, reason: RefusalReason | undefined, details: Details) {
    const { call, attempt, keys, access, folded } = this.#prepared;
    const known = access !== undefined;
    await this.#with.audit.record(trx, call, {
      action: "emergency_code.verified",
      outcome: reason === undefined ? "success" : "refused",
      ...(reason !== undefined && { reason }),
      userId: access?.userId,
      details: {
        ...details,
        ...(attempt.attemptId !== undefined && { attemptId: attempt.attemptId }),
        codeId: access?.code?.id ?? null,
        // People type codes and passwords into name fields, so an unknown name is kept only as a keyed digest.
        ...(!known && digestName(folded, keys)),
      },
      ...(known && { personal: { loginName: folded } }),
    });
  }

  async #recordConsequences(trx: Connection, { lockedUntil, failures, status }: store.Decided) {
    const { call } = this.#prepared;
    const about = { userId: this.#userId, details: { codeId: this.#codeId, failures } };
    if (lockedUntil !== null) {
      const details = { ...about.details, lockedUntil };
      await this.#with.audit.record(trx, call, { action: "emergency_access.locked", ...about, details });
    }
    if (status === "revoked" && failures >= maxConsecutiveFailures) {
      const reason = "too_many_failures";
      await this.#with.audit.record(trx, call, { action: "emergency_code.revoked", reason, ...about });
    }
  }
}

async function matches(companyId: string, keys: Keys, code: PlainCode, access: Access | undefined) {
  const stored = access?.code;
  const pepper = pepperFor(stored, keys);
  // Digest the input even when there is nothing to compare it with. Skipping it would answer faster
  // for unknown users and turn this into a directory of who exists.
  const recipe = stored?.recipe ?? dummyRecipe(code, pepper);
  const binding = { companyId, userId: access?.userId ?? nobody, codeId: stored?.id ?? nobody };
  const digest = await digestCode(code, binding, recipe, pepper);
  return digestsEqual(digest, stored?.digest ?? ("" as CodeDigest));
}

/**
 * The key of the code's digest, and the current one for a code of nobody and for one whose key is retired: it
 * matches neither, by the same work. Whether a key is retired is for the statement that decides to say.
 */
function pepperFor(stored: StoredCode | undefined, keys: Keys): Key {
  const current = keys.current("code_pepper");
  if (stored === undefined) return current;
  const { pepperKid } = stored.recipe;
  const pepper = keys.find("code_pepper", pepperKid);
  if (pepper !== undefined) return pepper;
  if (keys.isRetired("code_pepper", pepperKid)) return current;
  // A code that cannot be checked is not a wrong code: it costs no try, and the service says that it cannot answer.
  throw new Refusal("unavailable", { detail: "the pepper of a code is gone" });
}

function digestName(folded: string, keys: Keys): Details {
  const key = keys.current("name_digest");
  return { nameDigest: createHmac("sha256", key.bytes).update(folded).digest("base64url"), nameKid: key.kid };
}
