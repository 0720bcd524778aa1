/**
 * The faults that the service has to survive, against real processes: `npm run test:faults`.
 *
 * `-- --scale 1` is the whole bar and takes hours; a tenth is what CI does. `--seed N` chooses the same moments
 * again, as far as real processes allow. Names are those of faults: `-- promotion one-success`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { globSync } from "node:fs";
import { parseArgs } from "node:util";
import type { FaultResult } from "../test/faults/fault.ts";

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { scale: { type: "string", default: "0.1" }, seed: { type: "string" } },
});
const scale = Number(values.scale);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
if (!(scale > 0) || !Number.isSafeInteger(seed)) throw new Error("--scale is a number above 0, --seed a whole one");

/** A file that takes longer has hung. */
const fileWithinMs = 15 * 60_000 * Math.max(1, scale * 10);

const results: FaultResult[] = [];
let failed = false;
let running: ChildProcess | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // In a terminal it got the signal as well; it ends what it started.
    running?.kill("SIGTERM");
    process.exitCode = 130;
    names.length = 0;
    files.length = 0;
  });
}

const startedMs = performance.now();
const files = globSync("test/faults/*.faults.ts").sort();
while (true) {
  const file = files.shift();
  if (file === undefined) break;
  const exitCode = await runFile(file);
  if (exitCode !== 0) failed = true;
}
printTable();
if (failed || results.length === 0) process.exitCode ||= 1;

function runFile(file: string): Promise<number | null> {
  const child = spawn(process.execPath, [file, String(scale), String(seed), ...names], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  running = child;
  child.on("message", (result: FaultResult) => results.push(result));
  const timer = setTimeout(() => {
    console.error(`${file} took too long`);
    child.kill("SIGTERM");
  }, fileWithinMs);
  return new Promise<number | null>((resolve) => child.on("close", resolve)).finally(() => clearTimeout(timer));
}

function printTable() {
  const minutes = ((performance.now() - startedMs) / 60_000).toFixed(1);
  console.log(`\nscale ${scale}, seed ${seed}, ${minutes} minutes\n`);
  const rows = results.map(({ fault, holds, bar, done, ok, seconds }) => [
    ...[fault, holds, bar, done],
    ...[ok ? "ok" : "FAILED", String(seconds)],
  ]);
  console.log("| fault | must hold | bar | done | result | s |\n|---|---|---|---|---|---|");
  for (const row of rows) console.log(`| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`);
  const bad = results.filter(({ ok }) => !ok).map(({ name }) => name);
  console.log(
    `\n${results.length - bad.length} held, ${bad.length} failed${bad.length > 0 ? `: ${bad.join(", ")}` : ""}`,
  );
}
