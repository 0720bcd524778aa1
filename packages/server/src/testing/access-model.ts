/**
 * Emergency access one event at a time: the rules in their plainest form, without a database or a race.
 *
 * Fed with a record in its order, it says where the record tells of something that could not have happened.
 */
import type { AuditAction, Settings } from "@sparekey/contract";
import type { AuditRecord } from "../audit/canonical.ts";
import { addMs, type Instant } from "../platform/clock.ts";

interface ModelCode {
  id: string;
  status: "active" | "consumed" | "revoked";
  oneTime: boolean;
  expiresAt: Instant;
}

/** Tries before the lock, and how long it lasts. */
type Lockout = Settings["lockout"];

export interface ModelUser {
  enabled: boolean;
  code: ModelCode | undefined;
  tries: number;
  failures: number;
  lockedUntil: Instant | null;
}

export class AccessModel {
  readonly users = new Map<string, ModelUser>();
  readonly violations: string[] = [];
  /** By the version of the settings. */
  readonly #lockouts: Map<unknown, Lockout>;

  /** Begins with these settings, whose version is given. */
  constructor(lockout: Lockout, settingsVersion: number) {
    this.#lockouts = new Map([[settingsVersion, lockout]]);
  }

  readonly #steps: Partial<Record<AuditAction, (user: ModelUser, record: AuditRecord) => void>> = {
    "user.enabled": (user) => {
      user.enabled = true;
    },
    "user.disabled": (user) => {
      user.enabled = false;
    },
    "emergency_code.issued": (user, record) => this.#issue(user, record),
    "emergency_code.verified": (user, record) => this.#verify(user, record),
    "emergency_code.revoked": (user, record) => {
      this.#expect(user.code?.id === record.details.codeId, record);
      if (user.code) user.code.status = "revoked";
    },
    "emergency_access.locked": (user, record) => {
      this.#expect(user.lockedUntil === record.details.lockedUntil, record);
    },
    "emergency_access.unlocked": (user) => {
      Object.assign(user, { tries: 0, failures: 0, lockedUntil: null });
    },
  };

  replay(record: AuditRecord): void {
    if (record.action === "settings.changed") {
      this.#lockouts.set(record.details.settingsVersion, JSON.parse(String(record.details.to)).lockout);
    }
    const user = this.#userOf(record);
    if (user === undefined) return;
    this.#steps[record.action]?.(user, record);
  }

  #userOf({ user, action }: AuditRecord): ModelUser | undefined {
    if (user === null) return undefined;
    const fresh: ModelUser = { enabled: true, code: undefined, tries: 0, failures: 0, lockedUntil: null };
    if (action === "user.created") this.users.set(user, fresh);
    return this.users.get(user);
  }

  #issue(user: ModelUser, record: AuditRecord) {
    this.#expect(user.enabled === (record.outcome === "success"), record);
    if (record.outcome !== "success") return;
    const { codeId, expiresAt, oneTime } = record.details as { codeId: string; expiresAt: Instant; oneTime: boolean };
    user.code = { id: codeId, status: "active", oneTime, expiresAt };
  }

  #verify(user: ModelUser, record: AuditRecord) {
    // What cannot be a code is refused whatever the user's state is.
    if (record.reason === "slip") return;
    const obstacle = this.#obstacle(user, record);
    const counted = record.reason === "wrong_code" || record.reason === "tries_used_up";
    if (record.outcome === "success" || counted) {
      this.#expect(obstacle === undefined, record, `${counted ? "counted" : "accepted"} although ${obstacle}`);
    } else {
      // The reason is from a moment before, but there must be one at this moment too.
      this.#expect(obstacle !== undefined, record, `refused as ${record.reason} although nothing forbade it`);
      return;
    }
    const tries = user.lockedUntil === null ? user.tries : 0;
    const { tries: limit, lockMinutes } = this.#lockouts.get(record.details.settingsVersion) ?? {
      tries: Number.NaN,
      lockMinutes: Number.NaN,
    };
    if (record.reason !== "wrong_code") {
      const usedUp = tries >= limit;
      this.#expect(usedUp === (record.reason === "tries_used_up"), record, `${tries} of ${limit} tries were used`);
    }
    if (!counted) {
      Object.assign(user, { tries: 0, failures: 0, lockedUntil: null });
      if (user.code?.oneTime) user.code.status = "consumed";
      return;
    }
    user.tries = tries + 1;
    user.failures++;
    user.lockedUntil = user.tries >= limit ? addMs(record.at, lockMinutes * 60_000) : null;
  }

  /** Why a code of this user cannot be used at the time of the record, in the record's words. */
  #obstacle({ code, enabled, lockedUntil }: ModelUser, { at, details }: AuditRecord): string | undefined {
    if (code === undefined) return "no_code";
    if (code.id !== details.codeId) return "replaced";
    if (!enabled) return "user_disabled";
    if (code.status !== "active") return code.status;
    if (code.expiresAt <= at) return "expired";
    return lockedUntil !== null && lockedUntil > at ? "locked" : undefined;
  }

  #expect(holds: boolean, record: AuditRecord, what = "cannot be") {
    if (!holds) this.violations.push(`${what}: ${record.action} ${record.at} ${record.request}`);
  }
}
