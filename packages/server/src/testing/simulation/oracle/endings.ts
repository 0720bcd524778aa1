/** Codes, users and keys that have ended: nothing succeeds with them once their end was acknowledged. */
import { type HistoryCall, isUncertain } from "../history.ts";
import { msAt } from "../node.ts";
import type { Evidence } from "./evidence.ts";

export function checkEndings(evidence: Evidence): void {
  checkOneTime(evidence);
  for (const call of evidence.calls) {
    if (call.answer.is === "accepted") checkAccepted(evidence, call);
    if (call.kind === "issue" && call.answer.is === "done") checkEnabled(evidence, call, "a code was issued for");
    if (call.facts.keyId !== undefined && call.kind !== "key.delete" && call.kind !== "key.create") {
      checkKey(evidence, call);
    }
  }
}

function checkOneTime(evidence: Evidence) {
  const successes = evidence.records.filter(
    ({ action, outcome }) => action === "emergency_code.verified" && outcome === "success",
  );
  for (const [codeId, uses] of Map.groupBy(successes, ({ details }) => details.codeId)) {
    const isOneTime = evidence.issueOf(codeId)?.record.details.oneTime === true;
    if (isOneTime && uses.length > 1) {
      evidence.report("P2", "a one-time code was used twice", ...uses.map((record) => evidence.callOf(record)));
    }
  }
  // The same from the answers alone, whatever was recorded.
  const accepted = evidence.calls.filter(({ answer, facts }) => answer.is === "accepted" && facts.typed);
  for (const [codeId, uses] of Map.groupBy(accepted, ({ facts }) => facts.typed?.codeId)) {
    const isOneTime = evidence.issueOf(codeId)?.record.details.oneTime === true;
    if (isOneTime && uses.length > 1) evidence.report("P2", "a one-time code was accepted twice", ...uses);
  }
}

function checkAccepted(evidence: Evidence, use: HistoryCall) {
  const issued = evidence.issueOf(use.facts.typed?.codeId);
  if (issued === undefined) {
    evidence.report("P5", "accepted a code that no record issued", use);
    return;
  }
  checkEnabled(evidence, use, "a code was accepted of");
  const { call: issue, record } = issued;
  const expiredMs = msAt(record.details.expiresAt as never) + evidence.run.weather.skewMs;
  if (use.startedMs > expiredMs) evidence.report("P4", "an expired code was accepted", issue, use);
  for (const end of evidence.calls) {
    if (end.facts.userId !== use.facts.userId || end.answer.is !== "done" || end === issue) continue;
    const isEnd = end.kind === "revoke" || end.kind === "issue";
    if (isEnd && evidence.isOverBefore(issue, end) && evidence.isOverBefore(end, use)) {
      evidence.report("P4", `a code was accepted after ${end.kind} had ended it`, issue, end, use);
    }
  }
}

/** Nobody enabled the user at, or perhaps after, the time when somebody disabled it. */
function checkEnabled(evidence: Evidence, call: HistoryCall, what: string) {
  const { userId } = call.facts;
  const others = evidence.calls.filter(({ facts }) => facts.userId === userId);
  for (const disable of others) {
    if (disable.kind !== "disable" || disable.answer.is !== "done" || !evidence.isOverBefore(disable, call)) continue;
    const perhapsEnabled = others.some(
      (enable) =>
        enable.kind === "enable" &&
        enable.startedAt < call.endedAt &&
        (isUncertain(enable) || enable.endedAt > disable.startedAt),
    );
    if (!perhapsEnabled) evidence.report("P4", `${what} a disabled user`, disable, call);
  }
}

function checkKey(evidence: Evidence, call: HistoryCall) {
  const { answer, facts } = call;
  const isRefused = answer.is === "refused" && answer.code === "client_key_refused";
  const deletions = evidence.deletionsOf(facts.keyId);
  const deletedBefore = (moment: number) =>
    deletions.find(({ answer: { is }, endedAt }) => is === "done" && endedAt < moment);
  const isAdmitted = !isRefused && answer.is !== "unavailable" && answer.is !== "lost";
  const deletion = deletedBefore(call.startedAt);
  if (deletion && isAdmitted) evidence.report("P11", "a deleted key was admitted", deletion, call);
  for (const record of evidence.recordsOf(call)) {
    const earlier = deletedBefore(evidence.decidedAfter.get(record) ?? 0);
    if (deletion || !earlier || answer.is !== "accepted") continue;
    evidence.report(
      "P11",
      "a code was accepted from a key whose deletion was acknowledged before it was decided",
      earlier,
      call,
    );
  }
  const perhapsDeleted = deletions.some(({ startedAt }) => startedAt < call.endedAt);
  if (isRefused && !perhapsDeleted) evidence.report("answer", "a key that nobody deleted was refused", call);
}
