/**
 * How fast it is, as a ratio to a bare Fastify in the same run: `npm run bench`, or `npm run bench -- --quick`
 * to see only that the bench runs.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { apply, type Figures, median } from "./load.ts";
import { canPin, pinLoad, startPinned } from "./processes.ts";
import { startSubject } from "./subject.ts";

const quick = process.argv.includes("--quick");
const rounds = quick ? 1 : Number(process.env.BENCH_ROUNDS ?? 5);
const seconds = quick ? 1 : 4;
const connections = 64;
const userCount = quick ? 200 : 2_000;
const beat = { connections: quick ? 64 : 256, answerTimeMs: 50 };

pinLoad();
const reference = await startPinned(join(import.meta.dirname, "reference.ts"), ["8391"], 8391);
const subject = await startSubject(8392, userCount);

try {
  const measured = await measure();
  const onTheBeat = await measureOnTheBeat();
  report(measured, onTheBeat);
} finally {
  await subject.stop();
  await reference.stop();
}

/** Each round measures everything once, so that whatever else the machine does touches all alike. */
async function measure(): Promise<Record<string, Figures>> {
  const bare = { method: "POST", path: "/verify", body: '{"user":"bench.user1999","code":"7K3M-9QZX-4TP"}' } as const;
  const headers = { "content-type": "application/json" };
  const load = { connections, seconds };
  const runs = {
    reference: () => apply(reference.url, load, () => ({ ...bare, headers })),
    issue: () => apply(subject.url, load, subject.requests.issue),
    verify: () => apply(subject.url, load, subject.requests.verify),
    lookup: () => apply(subject.url, load, subject.requests.lookup),
  };
  const figures = new Map<string, Figures[]>(Object.keys(runs).map((name) => [name, []]));
  // The first seconds of a process are spent compiling.
  for (const run of Object.values(runs)) await run();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, run] of Object.entries(runs)) figures.get(name)?.push(await run());
  }
  return Object.fromEntries([...figures].map(([name, all]) => [name, median(all)]));
}

/** With the answer time that a company has unless it chose another. */
async function measureOnTheBeat(): Promise<Figures> {
  await subject.setAnswerTime(beat.answerTimeMs);
  return apply(subject.url, { connections: beat.connections, seconds }, subject.requests.verify);
}

function report(measured: Record<string, Figures>, onTheBeat: Figures) {
  const bareRate = measured.reference?.rate ?? Number.NaN;
  const table = Object.entries(measured).map(([name, { rate, p50, p99 }]) => ({
    name,
    "rate /s": Math.round(rate),
    ratio: Number((rate / bareRate).toFixed(3)),
    "p50 ms": p50,
    "p99 ms": p99,
  }));
  const process = {
    "start-up ms": Math.round(subject.startMs),
    "bare server's": Math.round(reference.startMs),
    "idle MiB": subject.idleMiB,
    "MiB after the load": subject.memoryMiB(),
  };
  console.log(
    `SQLite, durable; ${connections} connections; median of ${rounds} rounds of ${seconds} s; answerTimeMs 0`,
  );
  if (!canPin) console.log("servers and load share their cores: taskset is missing, or there is only one");
  console.table(table);
  console.log(
    `verify with answerTimeMs ${beat.answerTimeMs}, ${beat.connections} connections: ${Math.round(onTheBeat.rate)} /s, p50 ${onTheBeat.p50} ms, p99 ${onTheBeat.p99} ms`,
  );
  console.table([process]);
  const results = join(import.meta.dirname, "results");
  mkdirSync(results, { recursive: true });
  const file = join(results, "latest.json");
  writeFileSync(
    file,
    `${JSON.stringify({ connections, rounds, seconds, measured, beat, onTheBeat, process }, null, 2)}\n`,
  );
  console.log(`written to ${file}`);
}
