/**
 * Rounds: every row is measured once in each, the reference right before it.
 *
 * A machine that is slow for a minute then slows the two of a pair alike, and one round of each row at the most.
 */
import { cpuPerAnswer, measure, type Sample, type Target } from "./load/measure.ts";
import type { Options } from "./options.ts";
import type { Case } from "./plan.ts";
import type { BenchDatabase } from "./servers/bench-database.ts";
import { medianOf, type Spread, spreadOf } from "./statistics.ts";

export interface Pair {
  reference: Sample;
  subject: Sample;
}

export interface Row {
  case: Case;
  pairs: Pair[];
}

export interface Context {
  options: Options;
  database: BenchDatabase;
  reference: Target;
  signal: AbortSignal;
}

/** The first seconds of a process are spent compiling. */
const warmUpSeconds = 1;

export async function runRounds(cases: Case[], context: Context): Promise<Row[]> {
  const { rounds, seconds, quick } = context.options;
  const rows = cases.map((row): Row => ({ case: row, pairs: [] }));
  for (const row of quick ? [] : rows) await measurePair(row.case, context, Math.min(seconds, warmUpSeconds));
  for (let round = 1; round <= rounds; round += 1) {
    for (const row of rows) row.pairs.push(await measurePair(row.case, context, seconds));
    console.error(`${context.database.kind}: round ${round} of ${rounds} done`);
  }
  return rows;
}

/** The same requests to both, from as many connections. */
async function measurePair(row: Case, context: Context, seconds: number): Promise<Pair> {
  const { database, reference, signal } = context;
  const subject = database.subject(row.users);
  const next = await subject.requests(row.call, row.tokens, row.processes);
  const plan = { connections: row.connections, seconds, next, signal };
  return {
    reference: await measure(reference, plan),
    subject: await measure(subject.target(row.processes), plan),
  };
}

/** What the table shows of a row: medians, and of ratios the median of those of each pair. */
export interface Summary {
  rate: number;
  /** The subject's rate to the reference's. */
  ratio: Spread;
  /** The servers' CPU for an answer to the reference's. */
  cpuRatio: Spread;
  /** The same with PostgreSQL's. */
  cpuRatioAll: Spread;
  p50: number;
  p99: number;
  cpuMicroseconds: { servers: number; postgres: number; load: number };
  memoryMiB: number;
  failures: number;
  /** How much of its core the load used at the reference, which asks the most of it. */
  loadShare: number;
}

export function summarise({ pairs }: Row): Summary {
  const subjects = pairs.map(({ subject }) => subject);
  const each = <Value>(read: (pair: Pair) => Value) => pairs.map(read);
  const cpu = subjects.map(cpuPerAnswer);
  const all = [...subjects, ...pairs.map(({ reference }) => reference)];
  const failed = all.flatMap(({ failures }) => Object.values(failures));
  const bare = ({ reference }: Pair) => cpuPerAnswer(reference).servers;
  return {
    rate: medianOf(subjects.map(({ rate }) => rate)),
    ratio: spreadOf(each(({ subject, reference }) => subject.rate / reference.rate)),
    cpuRatio: spreadOf(each((pair) => cpuPerAnswer(pair.subject).servers / bare(pair))),
    cpuRatioAll: spreadOf(
      each((pair) => {
        const { servers, postgres } = cpuPerAnswer(pair.subject);
        return (servers + postgres) / bare(pair);
      }),
    ),
    p50: medianOf(subjects.map(({ latencyMs }) => latencyMs.p50)),
    p99: medianOf(subjects.map(({ latencyMs }) => latencyMs.p99)),
    cpuMicroseconds: {
      servers: medianOf(cpu.map(({ servers }) => servers)),
      postgres: medianOf(cpu.map(({ postgres }) => postgres)),
      load: medianOf(cpu.map(({ load }) => load)),
    },
    memoryMiB: medianOf(subjects.map(({ memoryMiB }) => memoryMiB)),
    failures: failed.reduce((sum, count) => sum + count, 0),
    loadShare: medianOf(each(({ reference }) => reference.cpuSeconds.load / reference.seconds)),
  };
}
