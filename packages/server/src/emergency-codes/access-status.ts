/** What a user's emergency access amounts to at a given moment, in a word and in a sentence. */
import type { Instant } from "../platform/clock.ts";
import type { CodeDigest, DigestRecipe } from "./digest.ts";
import { maxConsecutiveFailures } from "./policy.ts";

/** A user's emergency access: at most one code, and what happened to it. */
export interface Access {
  userId: string;
  userEnabled: boolean;
  code: StoredCode | undefined;
  lastUsedAt: Instant | null;
  tries: number;
  failures: number;
  lockedUntil: Instant | null;
}

export interface StoredCode {
  id: string;
  status: "active" | "consumed" | "revoked";
  digest: CodeDigest;
  recipe: DigestRecipe;
  oneTime: boolean;
  issuedAt: Instant;
  expiresAt: Instant;
}

export type AccessStatus = "none" | "active" | "expired" | "consumed" | "revoked";

/** Why a code was not accepted: for the record and the help desk, never for who typed it. */
export type RefusalReason =
  | "slip"
  | "unknown_user"
  | "no_code"
  | "wrong_code"
  | "expired"
  | "consumed"
  | "revoked"
  | "overtaken"
  | "tries_used_up"
  | "locked"
  | "key_retired"
  | "user_disabled";

export function statusOf({ code }: Access, now: Instant): AccessStatus {
  if (code === undefined) return "none";
  if (code.status === "active" && code.expiresAt <= now) return "expired";
  return code.status;
}

export function isLocked({ lockedUntil }: Access, now: Instant): boolean {
  return lockedUntil !== null && lockedUntil > now;
}

/**
 * Why the guarded statement found nothing to spend, from the row as it was read before. Nothing in it forbade the
 * code: then it was spent, ended, locked or replaced in between, and the record before this one says by whom.
 */
export function refusalReason(
  access: Access | undefined,
  now: Instant,
  keyRetiredAt: Instant | null = null,
): RefusalReason {
  if (access === undefined) return "unknown_user";
  if (access.code === undefined) return "no_code";
  if (!access.userEnabled) return "user_disabled";
  const status = statusOf(access, now);
  if (status === "consumed" || status === "revoked" || status === "expired") return status;
  if (keyRetiredAt !== null && keyRetiredAt <= now) return "key_retired";
  return isLocked(access, now) ? "locked" : "overtaken";
}

/** The access as it is with the end of its code's key, after which the code is none. */
export function endingWithKey(access: Access, keyRetiredAt: Instant | null): Access {
  const { code } = access;
  if (code === undefined || keyRetiredAt === null || code.expiresAt <= keyRetiredAt) return access;
  return { ...access, code: { ...code, expiresAt: keyRetiredAt } };
}

/** Can this user sign in with an emergency code now, and if not, why and what helps. */
export function explainAccess(access: Access, now: Instant): string {
  const { code } = access;
  if (!access.userEnabled) return "The user is disabled: no code works until the user is enabled.";
  if (code === undefined) return "No emergency code was ever issued: issue one.";
  if (isLocked(access, now)) {
    return `Locked until ${access.lockedUntil} after ${access.tries} wrong codes: wait, or unlock the user.`;
  }
  const status = statusOf(access, now);
  if (status === "revoked" && access.failures >= maxConsecutiveFailures) {
    return `The code is void after ${access.failures} wrong codes in a row: unlock the user and issue a new one.`;
  }
  if (status === "revoked") return "The code was revoked: issue a new one.";
  if (status === "consumed") return `The one-time code was used at ${access.lastUsedAt}: issue a new one.`;
  if (status === "expired") return `The code expired at ${code.expiresAt}: issue a new one.`;
  return `The user can sign in with the code until ${code.expiresAt}${code.oneTime ? ", once" : ""}.`;
}
