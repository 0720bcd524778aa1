/**
 * Who runs on which core, so that the load does not take the time of what it measures.
 *
 * The first server has core 0 for itself, as has the reference, which never runs beside it. The load has core 1. From four
 * cores on the second server has core 2, and PostgreSQL the rest; with fewer, these two take what is free.
 */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { childrenOf } from "./accounting.ts";

const cores = availableParallelism();
const canPin = cores > 1 && spawnSync("taskset", ["-c", "0,1", "true"]).status === 0;
const isRoomy = canPin && cores >= 4;

export const coresInWords = describe();

/** A command with its core, for the server of a number: 0 is the first. */
export function pinned(index: number, command: string[]): string[] {
  if (!canPin || (index > 0 && !isRoomy)) return command;
  return ["taskset", "-c", index === 0 ? "0" : "2", ...command];
}

/** Keeps the load, which is this process with all its threads, off the servers' core. */
export function pinLoad() {
  if (canPin) spawnSync("taskset", ["-acp", "1", String(process.pid)]);
}

/** Gives this process all cores again, for work of its own. */
export function unpinLoad() {
  if (canPin) spawnSync("taskset", ["-acp", `0-${cores - 1}`, String(process.pid)]);
}

export function pinPostgres(pid: number) {
  if (!isRoomy) return;
  const rest = cores === 4 ? "3" : `3-${cores - 1}`;
  for (const each of [pid, ...childrenOf(pid)]) spawnSync("taskset", ["-acp", rest, String(each)]);
}

function describe(): string {
  if (!canPin) return "servers and load share their cores: taskset is missing, or there is only one";
  const others = isRoomy ? "the second server 2, PostgreSQL the rest" : "the second server and PostgreSQL any";
  return `the server and the reference run on core 0, the load on 1, ${others}`;
}
