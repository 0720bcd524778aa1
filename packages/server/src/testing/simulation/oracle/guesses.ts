/** Guesses: how many were answered truthfully, under which limit, and in which attempts. */
import type { AuditRecord } from "../../../audit/canonical.ts";
import { msAt } from "../node.ts";
import type { Evidence } from "./evidence.ts";

interface Count {
  tries: number;
  lockedUntil: string | null;
}

export function checkGuesses(evidence: Evidence): void {
  const byUser = Map.groupBy(evidence.records, ({ user }) => user);
  for (const [user, records] of byUser) if (user !== null) checkUser(evidence, records);
  checkAttempts(evidence);
}

/** The record of one user, in its order. */
function checkUser(evidence: Evidence, records: AuditRecord[]) {
  let count: Count = { tries: 0, lockedUntil: null };
  for (const record of records) {
    if (record.action === "emergency_access.unlocked") count = { tries: 0, lockedUntil: null };
    if (record.action === "emergency_code.verified") count = countGuess(evidence, record, count);
  }
}

function countGuess(evidence: Evidence, record: AuditRecord, { tries, lockedUntil }: Count): Count {
  const call = evidence.callOf(record);
  const isRight = record.outcome === "success";
  const isTruthful = isRight || record.reason === "wrong_code";
  if (!isTruthful && record.reason !== "tries_used_up") return { tries, lockedUntil };
  if (lockedUntil !== null && lockedUntil > record.at) evidence.report("P3", "a guess was answered while locked", call);
  const before = lockedUntil === null ? tries : 0;
  const lockout = evidence.settings.get(Number(record.details.settingsVersion))?.lockout;
  const limit = lockout?.tries ?? 0;
  if (isRight && before >= limit) evidence.report("P3", `accepted after ${before} of ${limit} guesses`, call);
  if (isRight) return { tries: 0, lockedUntil: null };
  const lock = call && evidence.recordsOf(call).find(({ action }) => action === "emergency_access.locked");
  const until = lock === undefined ? null : String(lock.details.lockedUntil);
  if (before + 1 >= limit !== (until !== null)) {
    evidence.report("P3", `guess ${before + 1} of ${limit}, and ${until === null ? "no" : "a"} lock`, call);
  }
  const lockMs = (lockout?.lockMinutes ?? 0) * 60_000;
  if (until !== null && msAt(until as never) !== msAt(record.at) + lockMs) {
    evidence.report("P3", "a lock of another length", call);
  }
  return { tries: before + 1, lockedUntil: until };
}

function checkAttempts(evidence: Evidence) {
  const limit = Math.max(...[...evidence.settings.values()].map(({ attemptTries }) => attemptTries));
  const verifications = evidence.records.filter(({ details }) => details.attemptId !== undefined);
  for (const [, tries] of Map.groupBy(verifications, ({ details }) => details.attemptId)) {
    const calls = tries.map((record) => evidence.callOf(record));
    if (tries.length > limit) evidence.report("P3", `an attempt of ${tries.length} tries`, ...calls);
    const lastSuccess = tries.findIndex(({ outcome }) => outcome === "success");
    if (lastSuccess !== -1 && lastSuccess !== tries.length - 1) {
      evidence.report("attempt", "an attempt went on after it had succeeded", ...calls);
    }
  }
  const turns = evidence.calls.filter(
    ({ kind, answer }) => kind === "attempt.verify" && (answer.is === "accepted" || answer.is === "not_accepted"),
  );
  for (const [, same] of Map.groupBy(turns, ({ facts }) => `${facts.attemptId} ${facts.inResponseTo}`)) {
    if (same.length > 1) evidence.report("attempt", "two answers to one message were both a turn", ...same);
  }
  for (const cancel of evidence.calls) {
    if (cancel.kind !== "attempt.cancel" || cancel.answer.is !== "done") continue;
    const after = turns.filter(
      (turn) => turn.facts.attemptId === cancel.facts.attemptId && evidence.isOverBefore(cancel, turn),
    );
    if (after.length > 0) evidence.report("attempt", "an attempt went on after it was cancelled", cancel, ...after);
  }
}
