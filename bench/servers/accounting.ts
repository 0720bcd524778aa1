/** What processes used, from Linux's own account of them. Elsewhere there is none, and everything is 0. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const ticksPerSecond = Number(readOr("100", () => execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" })));

/** CPU seconds of a process, and of those of its children that have ended and were waited for. */
export function cpuSecondsOf(pid: number): number {
  const stat = readOr("", () => readFileSync(`/proc/${pid}/stat`, "utf8"));
  // The name, in parentheses, may hold anything. User, system, and both again for children are the 14th to the 17th.
  const ticks = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 15);
  return ticks.reduce((sum, each) => sum + Number(each), 0) / ticksPerSecond;
}

/** The same with children that are still there: PostgreSQL is one process with a child for each connection. */
export function cpuSecondsOfFamily(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, each) => sum + cpuSecondsOf(each), 0);
}

export function childrenOf(pid: number): number[] {
  const list = readOr("", () => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8"));
  return list.split(" ").filter(Boolean).map(Number);
}

/** Resident memory, MiB. */
export function memoryMiBOf(pid: number): number {
  const status = readOr("", () => readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1_024);
}

function readOr(fallback: string, read: () => string): string {
  try {
    return read();
  } catch {
    return fallback;
  }
}
