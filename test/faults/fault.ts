/** One fault: what is broken, what must hold all the same, and how much of it was tried. */
import { type Chance, chanceFrom } from "../crash/load.ts";

export interface Fault {
  /** A word to call it by: `npm run test:faults -- promotion`. */
  name: string;
  fault: string;
  holds: string;
  /** How much of it at full scale. */
  bar: string;
  /** Does it, throws when something does not hold, and answers what was done. */
  run(context: FaultContext): Promise<string>;
}

export interface FaultContext {
  /** 1 is the bar; CI does a tenth. */
  scale: number;
  seed: number;
  /** The same moments again for the same seed, as far as real processes allow. */
  chance: Chance;
  /** So many of the full bar at this scale, and at least one. */
  share(full: number): number;
  /** A line of progress. */
  tell(line: string): void;
  /** Run in reverse when the fault is over, however it ended. */
  after(cleanUp: () => unknown): void;
}

/** A row of the table in the end. */
export interface FaultResult extends Omit<Fault, "run"> {
  done: string;
  ok: boolean;
  seconds: number;
}

/** What the runner gives to each file. */
const [scaleText = "0.1", seedText = String(Date.now() % 1_000_000), ...wanted] = process.argv.slice(2);

/** Runs faults one after another; the process's exit code says whether all of them held. */
export async function runFaults(...faults: Fault[]): Promise<void> {
  // Servers end with this process: those of ours by its exit, PostgreSQL's by their guard.
  for (const signal of ["SIGINT", "SIGTERM", "disconnect"]) process.on(signal, () => process.exit(130));
  const seed = Number(seedText);
  for (const fault of faults) {
    if (wanted.length > 0 && !wanted.some((name) => fault.name.includes(name))) continue;
    tell(`${fault.name}: ${fault.fault} (scale ${scaleText}, seed ${seed})`);
    report(await runFault(fault, Number(scaleText), seed));
  }
  // What is left open, such as the connections of a failed one, must not keep the others waiting.
  process.exit();
}

async function runFault({ run, ...fault }: Fault, scale: number, seed: number): Promise<FaultResult> {
  const startedMs = performance.now();
  const cleanUps: (() => unknown)[] = [];
  let done = "";
  let ok = true;
  try {
    done = await run({
      scale,
      seed,
      chance: chanceFrom(seed),
      share: (full) => Math.max(1, Math.round(full * scale)),
      tell: (line) => tell(`  ${fault.name}: ${line}`),
      after: (cleanUp) => cleanUps.push(cleanUp),
    });
  } catch (error) {
    ok = false;
    done = String(error).split("\n")[0]?.slice(0, 300) ?? "";
    tell(`  ${fault.name} FAILED (seed ${seed}): ${(error as Error).stack ?? error}`);
  }
  for (const cleanUp of cleanUps.reverse()) {
    await Promise.resolve(cleanUp()).catch((error: unknown) => tell(`  ${fault.name}: cleaning up: ${error}`));
  }
  return { ...fault, done, ok, seconds: Math.round((performance.now() - startedMs) / 1_000) };
}

function report(result: FaultResult) {
  tell(`  ${result.name}: ${result.ok ? "ok" : "FAILED"}, ${result.done} (${result.seconds} s)`);
  if (!result.ok) process.exitCode = 1;
  process.send?.(result);
}

function tell(line: string) {
  process.stdout.write(`${line}\n`);
}
