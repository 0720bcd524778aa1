/**
 * How fast it is, as a ratio to a bare Fastify in the same run: `npm run bench`, or `npm run bench -- --quick`
 * to see only that the bench runs.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Closing } from "./closing.ts";
import { measureAnswerTime } from "./figures/answer-time.ts";
import { findPeak, measureHalfPeak, measureOverload, measureUsers } from "./figures/figures.ts";
import { type DatabaseKind, readOptions } from "./options.ts";
import { type Case, planCases } from "./plan.ts";
import type { Figures } from "./report/figures.ts";
import { describeMachine } from "./report/machine.ts";
import { hasFailures, headerOf, type Results, sectionOf, writeJson } from "./report/report.ts";
import { type Context, runRounds } from "./rounds.ts";
import { BenchDatabase } from "./servers/bench-database.ts";
import { pinLoad } from "./servers/cores.ts";
import { type ServerProcess, startServer } from "./servers/server-process.ts";

const options = readOptions(process.argv.slice(2));
const plan = planCases(options);
if (plan.length === 0) throw new Error("no row of the table fits these filters");

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupted.abort());
const directory = mkdtempSync(join(tmpdir(), "sparekey-bench-"));
const closing = new Closing();
closing.add(() => rmSync(directory, { recursive: true, force: true }));

try {
  await run();
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
  console.error("interrupted");
  process.exitCode = 130;
} finally {
  await closing.run();
}

async function run() {
  const machine = describeMachine(directory);
  const script = join(import.meta.dirname, "servers", "reference.ts");
  const reference = await startServer({ script, args: (port) => [String(port)] });
  closing.add(() => reference.stop());
  console.log(`${headerOf(machine, options)}\n`);
  const results: Results[] = [];
  for (const kind of new Set(plan.map(({ database }) => database))) {
    const result = await runOn(kind, reference);
    results.push(result);
    console.log(`${sectionOf(result)}\n`);
    writeJson(options.json, machine, options, results);
  }
  console.log(`written to ${options.json}`);
  if (!hasFailures(results)) return;
  console.error("not every answer was what was asked for: the figures above say where");
  process.exitCode = 1;
}

async function runOn(kind: DatabaseKind, reference: ServerProcess): Promise<Results> {
  const cases = plan.filter(({ database }) => database === kind);
  const ending = new Closing();
  closing.add(() => ending.run());
  const { quick, profile } = options;
  const { signal } = interrupted;
  const shared = { directory, quick, profile, signal, closing: ending };
  const database = await BenchDatabase.start({ ...shared, kind, processes: processesFor(cases) });
  const target = {
    ports: [reference.port],
    cpuSeconds: () => ({ servers: reference.cpuSeconds(), postgres: 0 }),
    memoryMiB: () => reference.memoryMiB(),
  };
  const context = { options, database, reference: target, signal };
  pinLoad();
  const users = [...new Set(cases.map((each) => each.users))];
  const verifies = options.figures && cases.some(({ call }) => call === "verify");
  // While both hold nothing but users.
  const usersFigure = verifies ? await measureUsers(context, users) : undefined;
  const rows = await runRounds(cases, context);
  const peak = verifies ? findPeak(rows) : undefined;
  const start = startOf(database, Math.min(...users), reference);
  const figures: Figures = { start, users: usersFigure, ...(peak && (await measureAround(context, peak))) };
  await ending.run();
  return { database: kind, postgresVersion: database.postgresVersion, rows, figures };
}

async function measureAround(context: Context, peak: NonNullable<ReturnType<typeof findPeak>>) {
  const halfPeak = await measureHalfPeak(context, peak);
  const overload = await measureOverload(context, peak);
  return { halfPeak, overload, answerTime: await measureAnswerTime(context, peak.users) };
}

/** As many as any row needs, by the number of users. */
function processesFor(cases: Case[]): Map<number, number> {
  const most = new Map<number, number>();
  for (const { users, processes } of cases) most.set(users, Math.max(processes, most.get(users) ?? 0));
  return most;
}

function startOf(database: BenchDatabase, users: number, reference: ServerProcess): Figures["start"] {
  const { startMs = Number.NaN, idleMiB = Number.NaN } = database.subject(users).servers[0] ?? {};
  return { startMs, idleMiB, referenceStartMs: reference.startMs };
}
