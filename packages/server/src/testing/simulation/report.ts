/** A finding as a person reads it: the calls that it is about, and what else happened to them meanwhile. */
import type { Answer, History, HistoryCall } from "./history.ts";
import type { Finding } from "./oracle/evidence.ts";
import type { Run } from "./simulate.ts";

const maxLines = 50;

interface Line {
  moment: number;
  ms: number;
  node: string;
  text: string;
}

export function describe({ rule, what }: Finding): string {
  return `${rule}: ${what}`;
}

/** The history that leads to a finding: its calls in full, and the answers that others got meanwhile. */
export function traceOf({ history }: Run, { calls }: Finding): string {
  const subjects = new Set(calls);
  const users = new Set(calls.map(({ facts }) => facts.userId));
  const from = Math.min(...calls.map(({ startedAt }) => startedAt));
  const to = Math.max(...calls.map(({ endedAt, startedAt }) => (Number.isFinite(endedAt) ? endedAt : startedAt)));
  const others = history.calls.filter(
    (call) =>
      !subjects.has(call) &&
      call.endedAt >= from &&
      call.endedAt <= to &&
      (users.has(call.facts.userId) || call.kind === "settings.change"),
  );
  const lines = [...linesOf(history, subjects), ...others.flatMap((call) => callLines(call).slice(1))];
  const sorted = lines.sort((a, b) => a.moment - b.moment);
  const left = sorted.length - maxLines;
  return [...(left > 0 ? [`  … ${left} lines before`] : []), ...sorted.slice(-maxLines).map(lineText)].join("\n");
}

/** Everything that happened, for comparing runs. */
export function wholeTrace(run: Run): string {
  const lines = linesOf(run.history, new Set(run.history.calls)).sort((a, b) => a.moment - b.moment);
  return [...lines.map(lineText), ...run.records.map((record) => JSON.stringify(record))].join("\n");
}

function linesOf(history: History, calls: Set<HistoryCall>): Line[] {
  const ids = new Map([...calls].map((call) => [call.id, call]));
  return [
    ...[...calls].flatMap(callLines),
    ...history.events
      .filter(({ callId }) => callId !== undefined && ids.has(callId))
      .map(({ moment, ms, node, callId, what }) => ({ moment, ms, node, text: `${callId}   · ${what}` })),
  ];
}

function callLines({ id, kind, about, node, answer, startedAt, startedMs, endedAt, endedMs }: HistoryCall): Line[] {
  const began = { moment: startedAt, ms: startedMs, node, text: `${id} ${kind} ${about}` };
  if (endedAt === Number.POSITIVE_INFINITY) return [began];
  return [began, { moment: endedAt, ms: endedMs, node, text: `${id} ${kind} ${about} ⇒ ${answerText(answer)}` }];
}

function answerText(answer: Answer): string {
  if (answer.is === "refused") return `refused: ${answer.code}`;
  return answer.is === "bug" ? `bug: ${answer.error}` : answer.is.replace("_", " ");
}

function lineText({ ms, node, text }: Line): string {
  return `  ${(ms / 1_000).toFixed(4).padStart(14)} s  ${node.padEnd(8)} ${text}`;
}
