/**
 * What was acknowledged: for each user where it must stand, and for each call the record that it must have left.
 *
 * A call that got no answer may have happened or not. It is the user's `pending` call, and either is right.
 */

/** Where a user stands, as far as answers have told. */
export interface Standing {
  firstName: string;
  failures: number;
  status: "none" | "active" | "consumed" | "revoked";
  codeId: string | null;
  /** Undefined when the answer that held it was lost. */
  code: string | undefined;
  oneTime: boolean;
}

/** A call that changes something, and what its record is called. */
export type Change =
  | { kind: "issue"; oneTime: boolean }
  | { kind: "verify"; right: boolean }
  | { kind: "revoke" }
  | { kind: "unlock" }
  | { kind: "rename"; firstName: string };

export interface Account {
  userId: string;
  username: string;
  standing: Standing;
  pending: Change | undefined;
  /** Since the last check. */
  touched: boolean;
}

export interface AcknowledgedRecord {
  requestId: string;
  userId: string;
  action: string;
}

export interface Ledger {
  accounts: Account[];
  /** Acknowledged since the last check. */
  fresh: AcknowledgedRecord[];
  /** Acknowledged and found in the record, with the place where it was found. */
  found: (AcknowledgedRecord & { sequence: number })[];
  /** The last place in the record that was seen, and what is there. */
  cursor: number;
}

/** Where a user stands after a change that is known to have happened. `issued` is what issuing answered, if it did. */
export function standingAfter(before: Standing, change: Change, issued?: { id: string; code: string }): Standing {
  switch (change.kind) {
    case "issue":
      return { ...before, status: "active", oneTime: change.oneTime, codeId: issued?.id ?? null, code: issued?.code };
    case "verify":
      if (before.status !== "active") return before;
      if (!change.right) return { ...before, failures: before.failures + 1 };
      return { ...before, failures: 0, status: before.oneTime ? "consumed" : "active" };
    case "revoke":
      return before.status === "active" ? { ...before, status: "revoked" } : before;
    case "unlock":
      return { ...before, failures: 0 };
    case "rename":
      return { ...before, firstName: change.firstName };
  }
}

/** The record that the change leaves, or undefined when there was nothing to change. */
export function actionOf(change: Change, before: Standing): string | undefined {
  switch (change.kind) {
    case "issue":
      return "emergency_code.issued";
    case "verify":
      return "emergency_code.verified";
    case "revoke":
      return before.status === "active" ? "emergency_code.revoked" : undefined;
    case "unlock":
      return before.failures > 0 ? "emergency_access.unlocked" : undefined;
    case "rename":
      return before.firstName === change.firstName ? undefined : "user.updated";
  }
}
