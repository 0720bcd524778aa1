/** Figures that are more than one row: how verification behaves as users, load and connections grow. */
import { type LoadPlan, measure, type Sample } from "../load/measure.ts";
import { type Context, type Row, summarise } from "../rounds.ts";
import { medianOf, type Spread, spreadOf } from "../statistics.ts";

/** Verification with the most users, against that with the fewest, measured side by side. */
export interface UsersFigure {
  fewest: number;
  most: number;
  rateRatio: Spread;
  p99: { fewest: number; most: number };
}

export interface HalfPeakFigure {
  peakRate: number;
  rate: number;
  p50: number;
  p99: number;
  p99ToP50: Spread;
}

/** Ten times the connections of the peak, against the peak, measured side by side. */
export interface OverloadFigure {
  connections: { peak: number; overload: number };
  goodputRatio: Spread;
  memoryMiB: { peak: number; overload: number };
  p99: { peak: number; overload: number };
  /** Answers to the effect that the server has enough to do, as a share of all. */
  refused: number;
  /** Everything else that was not what was asked for. */
  failures: number;
}

const usualConnections = 64;
/** Of the highest rate. Past the peak a rate is flat, and chance would choose. */
const nearlyPeak = 0.9;
/** What a crowd does when it arrives is not what it does while it stays. */
const settleSeconds = 3;

export async function measureUsers(context: Context, users: number[]): Promise<UsersFigure | undefined> {
  const [fewest, most] = [Math.min(...users), Math.max(...users)];
  if (fewest === most) return undefined;
  const pairs = await inRounds(context, async () => ({
    fewest: await verifyWith(context, fewest, usualConnections),
    most: await verifyWith(context, most, usualConnections),
  }));
  return {
    ...{ fewest, most },
    rateRatio: spreadOf(pairs.map((pair) => pair.most.rate / pair.fewest.rate)),
    p99: {
      fewest: medianOf(pairs.map((pair) => pair.fewest.latencyMs.p99)),
      most: medianOf(pairs.map((pair) => pair.most.latencyMs.p99)),
    },
  };
}

/** The fewest connections, of those in the table, with which one process verifies nearly as much as with any. */
export function findPeak(rows: Row[]): { connections: number; users: number; rate: number } | undefined {
  const fewest = Math.min(...rows.map((row) => row.case.users));
  const candidates = rows
    .filter(({ case: { call, users, processes } }) => call === "verify" && users === fewest && processes === 1)
    .map((row) => ({ connections: row.case.connections, users: fewest, rate: summarise(row).rate }));
  const highest = Math.max(...candidates.map(({ rate }) => rate));
  return candidates.sort((a, b) => a.connections - b.connections).find(({ rate }) => rate >= nearlyPeak * highest);
}

type Peak = NonNullable<ReturnType<typeof findPeak>>;

export async function measureHalfPeak(context: Context, peak: Peak): Promise<HalfPeakFigure> {
  const rate = peak.rate / 2;
  const samples = await inRounds(context, () => verifyWith(context, peak.users, 256, { rate }));
  return {
    ...{ peakRate: peak.rate, rate },
    p50: medianOf(samples.map(({ latencyMs }) => latencyMs.p50)),
    p99: medianOf(samples.map(({ latencyMs }) => latencyMs.p99)),
    p99ToP50: spreadOf(samples.map(({ latencyMs }) => latencyMs.p99 / latencyMs.p50)),
  };
}

export async function measureOverload(context: Context, peak: Peak): Promise<OverloadFigure> {
  const overload = 10 * peak.connections;
  const settle = context.options.quick ? {} : { settleSeconds };
  const pairs = await inRounds(context, async () => ({
    peak: await verifyWith(context, peak.users, peak.connections, settle),
    overload: await verifyWith(context, peak.users, overload, settle),
  }));
  const both = <Value>(read: (sample: Sample) => Value) => ({
    peak: pairs.map((pair) => read(pair.peak)),
    overload: pairs.map((pair) => read(pair.overload)),
  });
  const medians = ({ peak: at, overload: beyond }: { peak: number[]; overload: number[] }) => ({
    peak: medianOf(at),
    overload: medianOf(beyond),
  });
  const overloads = pairs.map((pair) => pair.overload);
  const refused = sum(overloads.map(({ failures }) => failures[busy] ?? 0));
  const failed = sum(overloads.flatMap(({ failures }) => Object.values(failures)));
  return {
    connections: { peak: peak.connections, overload },
    goodputRatio: spreadOf(pairs.map((pair) => pair.overload.rate / pair.peak.rate)),
    memoryMiB: medians(both(({ memoryMiB }) => memoryMiB)),
    p99: medians(both(({ latencyMs }) => latencyMs.p99)),
    refused: refused / (sum(overloads.map(({ answers }) => answers)) + failed),
    failures: failed - refused,
  };
}

const busy = "503";
const sum = (numbers: number[]) => numbers.reduce((total, each) => total + each, 0);

async function inRounds<Value>({ options }: Context, run: () => Promise<Value>): Promise<Value[]> {
  const values: Value[] = [];
  for (let round = 0; round < options.rounds; round += 1) values.push(await run());
  return values;
}

/** Verification by one process. */
export async function verifyWith(
  { database, options, signal }: Context,
  users: number,
  connections: number,
  more: Pick<LoadPlan, "rate" | "settleSeconds"> = {},
): Promise<Sample> {
  const subject = database.subject(users);
  const next = await subject.requests("verify", "hot", 1);
  return measure(subject.target(1), { connections, seconds: options.seconds, next, signal, ...more });
}
