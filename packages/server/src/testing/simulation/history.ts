/** What happened in a run, as those who called saw it, and beside it what the database was made to do. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Settings } from "@sparekey/contract";

/** `lost` is what a caller is told of a node that died under its call: nothing. */
export type Answer =
  | { is: "accepted" | "not_accepted" | "done" | "stale" | "unavailable" | "lost" }
  | { is: "refused"; code: string }
  | { is: "bug"; error: string };

export type CallKind =
  | "verify"
  | "attempt.begin"
  | "attempt.verify"
  | "attempt.cancel"
  | "attempt.clean"
  | "issue"
  | "revoke"
  | "unlock"
  | "enable"
  | "disable"
  | "user.create"
  | "settings.change"
  | "key.create"
  | "key.delete";

/** What is known of a call besides its answer: what it was about, and what the answer said. */
export interface Facts {
  userId?: string;
  /** The code that was typed if it is one that was issued, else null. */
  typed?: { codeId: string; userId: string; asItIs: boolean } | null;
  codeId?: string;
  /** The Authentication API key: who calls, or what is made or deleted. */
  keyId?: string;
  attemptId?: string;
  inResponseTo?: string;
  version?: number;
  settings?: Settings;
}

export interface HistoryCall {
  id: string;
  kind: CallKind;
  node: string;
  /** For those who read the trace. */
  about: string;
  facts: Facts;
  /** Nothing was made to fail while it ran. */
  calm: boolean;
  /** In the order of everything that happened; a call that has no end began last of all. */
  startedAt: number;
  endedAt: number;
  startedMs: number;
  endedMs: number;
  answer: Answer;
  /** A commit of this call was kept and its acknowledgement withheld. */
  lostAcknowledgement: boolean;
}

/** What of a node does not get through. */
export type Blocked = "nothing" | "everything" | "reads" | "writes" | "revision";

/** A time in which that was so. */
export interface Outage {
  node: string;
  blocked: Blocked;
  fromMs: number;
  toMs: number;
}

interface Event {
  moment: number;
  ms: number;
  node: string;
  callId: string | undefined;
  what: string;
}

export class History {
  readonly calls: HistoryCall[] = [];
  readonly outages: Outage[] = [];
  readonly events: Event[] = [];
}

/** The call on whose behalf something runs. */
export const callUnderWay = new AsyncLocalStorage<HistoryCall>();

/** Whether the call may still have an effect after its answer, or have had none. */
export function isUncertain({ answer }: HistoryCall): boolean {
  return answer.is === "unavailable" || answer.is === "lost" || answer.is === "bug";
}
