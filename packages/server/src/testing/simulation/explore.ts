/** Many seeds, one after another, and what they show. */
import type { KnownBug } from "./bugs.ts";
import { type KnownFinding, knownAs } from "./known-findings.ts";
import type { Finding } from "./oracle/evidence.ts";
import { judge } from "./oracle/judge.ts";
import { describe, traceOf } from "./report.ts";
import { type Beginning, type Run, simulate } from "./simulate.ts";

export interface Seeds {
  from: number;
  count: number;
  /** Calls of a run, besides those of its beginning and its end. */
  calls: number;
}

/** A seed that shows what is not known, as text for a person. */
export interface Failure {
  seed: number;
  findings: string[];
  trace: string;
}

export interface Explored {
  seeds: number;
  calls: number;
  records: number;
  failures: Failure[];
  /** How many seeds showed each. */
  known: Map<KnownFinding, number>;
}

/** Runs seeds until there are `maxFailures`. */
export async function explore(
  beginning: Beginning,
  { from, count, calls }: Seeds,
  { maxFailures = 3, onSeed = () => {} }: { maxFailures?: number; onSeed?: (explored: Explored) => void } = {},
): Promise<Explored> {
  const explored: Explored = { seeds: 0, calls: 0, records: 0, failures: [], known: new Map() };
  for (let seed = from; seed < from + count && explored.failures.length < maxFailures; seed++) {
    const run = await withoutStacks(() => simulate(beginning, seed, { calls }));
    explored.seeds++;
    explored.calls += run.history.calls.length;
    explored.records += run.records.length;
    take(explored, run, judge(run));
    onSeed(explored);
  }
  return explored;
}

function take({ failures, known }: Explored, run: Run, findings: Finding[]) {
  for (const one of new Set(findings.flatMap((finding) => knownAs(finding) ?? []))) {
    known.set(one, (known.get(one) ?? 0) + 1);
  }
  const [first, ...others] = findings.filter((finding) => knownAs(finding) === undefined);
  if (first === undefined) return;
  const described = [...new Set([first, ...others].map(describe))];
  failures.push({ seed: run.seed, findings: described, trace: traceOf(run, first) });
}

/** How many seeds it takes to find a bug by one of its rules; undefined when that many do not. */
export async function seedsToFind(
  beginning: Beginning,
  bug: KnownBug,
  { from, count, calls }: Seeds,
): Promise<number | undefined> {
  for (let seed = from; seed < from + count; seed++) {
    const findings = judge(await withoutStacks(() => simulate(beginning, seed, { calls, bug })));
    if (findings.some((finding) => bug.rules.includes(finding.rule) && knownAs(finding) === undefined)) {
      return seed - from + 1;
    }
  }
  return undefined;
}

/** Faults are thrown by the thousand, and taking down where each was thrown costs a quarter of a run. */
async function withoutStacks<Result>(work: () => Promise<Result>): Promise<Result> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
