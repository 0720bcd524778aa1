/** What the figures were measured on. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { coresInWords } from "../servers/cores.ts";
import { quantile } from "../statistics.ts";

export interface Machine {
  cores: number;
  cpu: string;
  memoryGiB: number;
  kernel: string;
  node: string;
  /** What a commit waits for at least: 4 kB written and flushed, where the databases lie. */
  flushMs: { directory: string; p50: number; p99: number };
  pinning: string;
}

export function describeMachine(directory: string): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
    flushMs: { directory, ...measureFlush(directory) },
    pinning: coresInWords,
  };
}

function measureFlush(directory: string): { p50: number; p99: number } {
  const path = join(directory, "flush");
  const file = openSync(path, "w");
  const page = Buffer.alloc(4_096, 1);
  const timesMs = Array.from({ length: 200 }, () => {
    const beganMs = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    return performance.now() - beganMs;
  });
  closeSync(file);
  rmSync(path);
  const sorted = timesMs.toSorted((a, b) => a - b);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}
