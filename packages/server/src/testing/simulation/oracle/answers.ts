/** Every answer against the record: what was said happened is recorded, and what is recorded was somebody's call. */
import type { AuditAction } from "@sparekey/contract";
import type { AuditRecord } from "../../../audit/canonical.ts";
import { type CallKind, type HistoryCall, isUncertain } from "../history.ts";
import { type Evidence, presentsCode } from "./evidence.ts";

/** The record of each kind of call, and whether a call that is done always has it. */
const recordOf: Partial<Record<CallKind, { action: AuditAction; always: boolean }>> = {
  issue: { action: "emergency_code.issued", always: true },
  revoke: { action: "emergency_code.revoked", always: false },
  unlock: { action: "emergency_access.unlocked", always: false },
  enable: { action: "user.enabled", always: false },
  disable: { action: "user.disabled", always: false },
  "user.create": { action: "user.created", always: true },
  "settings.change": { action: "settings.changed", always: true },
  "key.create": { action: "authn_key.created", always: true },
  "key.delete": { action: "authn_key.deleted", always: true },
};
const verified = "emergency_code.verified";
/** What a verification may bring with it. */
const besidesVerified: AuditAction[] = ["emergency_access.locked", "emergency_code.revoked"];

export function checkAnswers(evidence: Evidence): void {
  for (const call of evidence.calls) {
    const { answer } = call;
    if (answer.is === "bug") {
      const deletions = evidence.deletionsOf(call.facts.keyId).filter(({ startedAt }) => startedAt < call.endedAt);
      evidence.report("answer", `neither an answer nor a refusal: ${answer.error}`, ...deletions, call);
    }
    if (answer.is === "unavailable" && call.calm) evidence.report("P6", "unavailable although all is well", call);
    const isAnswered = answer.is !== "unavailable" && answer.is !== "lost";
    if (call.lostAcknowledgement && isAnswered) {
      evidence.report("P10", "answered although nobody heard whether it was kept", call);
    }
    if (presentsCode(call)) checkVerification(evidence, call);
    else checkChange(evidence, call);
  }
  for (const record of evidence.records) {
    const call = evidence.callOf(record);
    if (call === undefined || !mayRecord(evidence, call, record)) {
      evidence.report("P5", `a record of what nobody did: ${record.action}`, call);
    }
  }
}

function checkVerification(evidence: Evidence, call: HistoryCall) {
  const { answer, facts } = call;
  const records = evidence.recordsOf(call).filter(({ action }) => action === verified);
  const outcomes = records.map(({ outcome }) => outcome).join();
  const expected = { accepted: "success", not_accepted: "refused" }[answer.is as string];
  if (isUncertain(call)) {
    if (records.length > 1) evidence.report("P5", "one call, two verifications", call);
  } else if (outcomes !== (expected ?? "")) {
    evidence.report("P5", `answered ${answer.is} and recorded as ${outcomes || "nothing"}`, call);
  }
  for (const { outcome, user, details, actor } of records) {
    if (outcome !== "success") continue;
    const { typed, userId, keyId } = facts;
    const isRight = typed?.asItIs && typed.userId === userId && user === userId && details.codeId === typed.codeId;
    if (!isRight) evidence.report("P9", "accepted although the user's code was not what was typed", call);
    if (actor.id !== keyId) evidence.report("P5", "recorded as another client's", call);
  }
}

function checkChange(evidence: Evidence, call: HistoryCall) {
  const { answer, kind, facts } = call;
  const expected = recordOf[kind];
  const records = evidence.recordsOf(call).filter(({ action }) => action === expected?.action);
  const kept = records.filter(({ outcome }) => outcome === "success");
  if (expected === undefined || records.length > 1) {
    if (records.length > 1) evidence.report("P5", `one call, ${records.length} records`, call);
    return;
  }
  if (answer.is === "done" && expected.always) {
    const [{ details } = { details: undefined }] = kept;
    const isSame =
      (facts.codeId ?? details?.codeId) === details?.codeId &&
      (facts.version ?? details?.settingsVersion) === details?.settingsVersion;
    if (details === undefined || !isSame) evidence.report("P5", "done and not recorded", call);
  }
  if (answer.is === "refused" && kept.length > 0) evidence.report("P5", "refused and recorded as done", call);
}

function mayRecord(evidence: Evidence, call: HistoryCall, { action, user }: AuditRecord): boolean {
  const { facts, kind } = call;
  if (user !== null && facts.userId !== undefined && user !== facts.userId) return false;
  if (!presentsCode(call)) return recordOf[kind]?.action === action;
  const isVerified = evidence
    .recordsOf(call)
    .some((record) => record.action === verified && record.outcome === "refused");
  return action === verified || (isVerified && besidesVerified.includes(action));
}
