/** `npm run test:simulation`: as many seeds as are asked for, or one of them in full. */
import { parseArgs } from "node:util";
import { bugs } from "./bugs.ts";
import { explore, type Failure, seedsToFind } from "./explore.ts";
import { knownAs } from "./known-findings.ts";
import { judge } from "./oracle/judge.ts";
import { describe, traceOf } from "./report.ts";
import { type Beginning, prepareBeginning, simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    ops: { type: "string", default: "60" },
    json: { type: "boolean", default: false },
    bugs: { type: "boolean", default: false },
  },
});
const calls = Number(values.ops);
const seeds = { from: Number(values.from), count: Number(values.seeds), calls };

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** On a terminal one line that changes, elsewhere nothing. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text}`);
}

/** One seed: everything that it shows, what is known included. */
async function runOne(beginning: Beginning, seed: number): Promise<boolean> {
  const run = await simulate(beginning, seed, { calls });
  const findings = judge(run);
  const { calm: _, ...weather } = run.weather;
  const shown = new Map(findings.map((finding) => [describe(finding), finding]));
  if (values.json) say(JSON.stringify({ seed, weather, findings: [...shown.keys()] }));
  else {
    say(`seed ${seed}: ${run.history.calls.length} calls, ${run.records.length} records, ${JSON.stringify(weather)}`);
    for (const [text, finding] of shown) {
      say(`\n${text}${knownAs(finding) ? " (known)" : ""}\n${traceOf(run, finding)}`);
    }
    if (shown.size === 0) say("nothing found");
  }
  return findings.every((finding) => knownAs(finding) !== undefined);
}

async function runMany(beginning: Beginning): Promise<boolean> {
  const startedMs = performance.now();
  const explored = await explore(beginning, seeds, {
    onSeed: ({ seeds: done, failures }) => showProgress(`seed ${seeds.from + done - 1}, ${failures.length} failed`),
  });
  const seconds = (performance.now() - startedMs) / 1_000;
  const { failures, known, ...counts } = explored;
  const perSecond = Math.round(explored.seeds / seconds);
  showProgress("\n");
  if (values.json) say(JSON.stringify({ ...counts, seconds, perSecond, failures, known: [...known] }));
  else {
    for (const failure of failures) say(`\n${textOf(failure)}`);
    for (const [{ rule, why }, times] of known) say(`known, in ${times} seeds: ${rule}: ${why}`);
    say(`${counts.seeds} seeds, ${counts.calls} calls, ${failures.length} failed, ${perSecond} seeds/s`);
  }
  return failures.length === 0;
}

function textOf({ seed, findings, trace }: Failure): string {
  return [...findings, trace, `again: npm run test:simulation -- --seed ${seed} --ops ${calls}`].join("\n");
}

/** How many seeds each bug takes that is put into the core. */
async function runBugs(beginning: Beginning): Promise<boolean> {
  let all = true;
  for (const [name, bug] of Object.entries(bugs)) {
    const taken = await seedsToFind(beginning, bug, seeds);
    all &&= taken !== undefined;
    say(`${String(taken ?? "never").padStart(6)}  ${name}`);
  }
  return all;
}

async function runWhatIsAskedFor(beginning: Beginning): Promise<boolean> {
  if (values.seed !== undefined) return runOne(beginning, Number(values.seed));
  return values.bugs ? runBugs(beginning) : runMany(beginning);
}

process.exitCode = (await runWhatIsAskedFor(await prepareBeginning())) ? 0 : 1;
