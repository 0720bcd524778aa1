/** Server processes for the bench, each pinned to the first core where the system can do that. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

/** With one core, or without `taskset`, servers and load share what there is, and the report says so. */
export const canPin = availableParallelism() > 1 && spawnSync("taskset", ["--version"]).status === 0;

export interface BenchProcess {
  url: string;
  /** From the start of the process to its first ready answer, milliseconds. */
  startMs: number;
  /** Resident memory, MiB. */
  memoryMiB(): number;
  stop(): Promise<void>;
}

/** Keeps the load, which is this process, off the servers' core. */
export function pinLoad() {
  if (canPin) spawnSync("taskset", ["-cp", "1", String(process.pid)]);
}

/** Starts a script on the servers' core and waits until `/readyz` answers. */
export async function startPinned(script: string, args: string[], port: number): Promise<BenchProcess> {
  const command = [process.execPath, script, ...args];
  const pinned = canPin ? ["taskset", "-c", "0", ...command] : command;
  const startedMs = performance.now();
  const child = spawn(pinned[0] as string, pinned.slice(1), { stdio: ["ignore", "ignore", "inherit"] });
  const url = `http://127.0.0.1:${port}`;
  await untilReady(url, child);
  return {
    url,
    startMs: performance.now() - startedMs,
    memoryMiB: () => residentMiB(child.pid),
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

async function untilReady(url: string, child: ChildProcess) {
  for (let attempt = 0; attempt < 2_000; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await delay(5);
  }
  throw new Error("the server did not become ready");
}

/** From Linux's own account of the process; 0 elsewhere. */
function residentMiB(pid: number | undefined): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Math.round(Number(kib) / 1_024);
  } catch {
    return 0;
  }
}
