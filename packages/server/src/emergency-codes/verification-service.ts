/**
 * The one verification, which every wire calls.
 *
 * It comes in two steps. `prepare` reads the row and compares, slowly, outside any transaction. `decide`
 * then spends the code or a try in one guarded statement, with its record, in the caller's unit of work.
 * Everyone pays for the same statements and the same hashing, whether or not there is such a user or
 * such a code.
 */
import { createHmac } from "node:crypto";
import type { AuditService, Details, RecordRows } from "../audit/service.ts";
import type { Key, Keyring, Keys } from "../keyring/service.ts";
import { addMs, type Clock, type Instant } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import type { Operation } from "../platform/database/guarded-write.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Call } from "../principal.ts";
import type { RevisionService } from "../revision/service.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import type { SettingsService } from "../settings/service.ts";
import { foldLoginName } from "../users/service.ts";
import { type Access, type RefusalReason, refusalReason, type StoredCode } from "./access-status.ts";
import { type PlainCode, readCode } from "./code.ts";
import { type CodeDigest, digestCode, digestsEqual, dummyRecipe } from "./digest.ts";
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
  revision: RevisionService;
}

/** What is known before the decision. */
interface Prepared {
  call: Call;
  attempt: Attempt;
  folded: string;
  /** In place of the name where nobody has it. */
  nameDigest: Details | undefined;
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
  /** The right code counts as a wrong one when the tries of a lowered limit were used up before it. */
  readonly #wrongReason: RefusalReason;
  #noneReason: RefusalReason = "overtaken";
  /** When the key of the code's digest ends or ended. */
  #keyRetiredAt: Instant | null = null;

  private constructor(dependencies: Dependencies, prepared: Prepared) {
    this.#with = dependencies;
    this.#prepared = prepared;
    this.#userId = prepared.access?.userId ?? nobody;
    this.#codeId = prepared.access?.code?.id ?? nobody;
    this.#wrongReason = prepared.matched ? "tries_used_up" : "wrong_code";
  }

  static async prepare(dependencies: Dependencies, call: Call, attempt: Attempt): Promise<Verification> {
    const { db, companyId, keyring } = dependencies;
    const keys = await keyring.fresh();
    const folded = foldLoginName(attempt.user);
    const code = readCode(attempt.code);
    const access = await store.findAccessByLoginName(db.read, companyId, folded);
    const matched = code !== undefined && (await matches(companyId, keys, code, access));
    const slip = code === undefined;
    // People type codes and passwords into name fields, so an unknown name is kept only as a keyed digest.
    const nameDigest = access === undefined ? digestName(folded, keys) : undefined;
    return new Verification(dependencies, { call, attempt, folded, nameDigest, access, slip, matched });
  }

  /** Decides, together with other verifications that wait at the same time. */
  decide(): Promise<Outcome> {
    const { db } = this.#with;
    return this.#underLease(async () =>
      this.#outcomeOf(await db.apply(store.verifying, this.#userId, () => this.#operation())),
    );
  }

  /** Decides as a part of a larger unit of work, which may be begun again and then finds nothing of the time before. */
  decideWithin<Result>(unit: (trx: Connection, decide: () => Promise<Outcome>) => Promise<Result>): Promise<Result> {
    const { db } = this.#with;
    return this.#underLease(() =>
      db.write((trx) => unit(trx, async () => this.#outcomeOf(await store.verifyIn(trx, this.#operation())))),
    );
  }

  /** Looks at settings and keys again before each try: the settings first, since it is their revision that is held. */
  #underLease<Result>(decide: () => Promise<Result>): Promise<Result> {
    const { revision, settings, keyring } = this.#with;
    const { access } = this.#prepared;
    return revision.underLease(async () => {
      await settings.current();
      const keys = await keyring.fresh();
      this.#keyRetiredAt = access?.code ? keys.retiredAt("code_pepper", access.code.recipe.pepperKid) : null;
      return decide();
    });
  }

  #outcomeOf(words: readonly (store.VerdictWord | "none")[]): Outcome {
    if (words.includes("accepted")) return { accepted: true, userId: this.#userId };
    return { accepted: false, reason: words.includes("none") ? this.#noneReason : this.#wrongReason };
  }

  /** Made at the moment of the decision, so that a limit which was lowered meanwhile holds for this guess too. */
  #operation(): Operation<store.Verdict, store.VerdictWord> {
    const { companyId, clock, settings, audit } = this.#with;
    const { call, access, slip, matched } = this.#prepared;
    const { settings: current, version: settingsVersion } = settings.known();
    const now = clock.now();
    const isRetired = this.#keyRetiredAt !== null && this.#keyRetiredAt <= now;
    const lockUntil = addMs(now, current.lockout.lockMinutes * 60_000);
    this.#noneReason = slip ? "slip" : refusalReason(access, now, this.#keyRetiredAt);
    const about = { userId: this.#userId, details: { codeId: this.#codeId } };
    const locked = { ...about, details: { ...about.details, lockedUntil: lockUntil } };
    return {
      input: {
        companyId,
        userId: this.#userId,
        // A slip of the hand says nothing about the secret and costs no try, and a code whose key has ended is none:
        // they are held against no row.
        codeId: slip || isRetired ? nobody : this.#codeId,
        matched: matched ? 1 : 0,
        now,
        maxTries: current.lockout.tries,
        lockUntil,
      },
      consequences: {
        none: () => this.#record(this.#noneReason, settingsVersion),
        ...(matched && { accepted: () => this.#record(undefined, settingsVersion) }),
        wrong: () => this.#record(this.#wrongReason, settingsVersion),
        locked: () => audit.prepare(call, { action: "emergency_access.locked", ...locked }),
        void: () => audit.prepare(call, { action: "emergency_code.revoked", reason: "too_many_failures", ...about }),
      },
    };
  }

  #record(reason: RefusalReason | undefined, settingsVersion: number): RecordRows {
    const { call, attempt, nameDigest, access, folded } = this.#prepared;
    return this.#with.audit.prepare(call, {
      action: "emergency_code.verified",
      outcome: reason === undefined ? "success" : "refused",
      ...(reason !== undefined && { reason }),
      userId: access?.userId,
      details: {
        settingsVersion,
        ...(reason === undefined && { consumed: access?.code?.oneTime ?? false }),
        ...(attempt.attemptId !== undefined && { attemptId: attempt.attemptId }),
        codeId: access?.code?.id ?? null,
        ...nameDigest,
      },
      ...(access !== undefined && { personal: { loginName: folded } }),
    });
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
 * matches neither, by the same work. Whether a key is retired is asked at the moment of the decision.
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
