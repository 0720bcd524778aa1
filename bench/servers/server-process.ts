/** A server in a process of its own: the service or the reference, started until ready, stopped in bounded time. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { findFreePort } from "../../packages/server/src/testing/postgres/free-port.ts";
import { cpuSecondsOf, memoryMiBOf } from "./accounting.ts";
import { pinned } from "./cores.ts";

export interface ServerProcess {
  port: number;
  /** From the start of the process to its first ready answer, milliseconds. */
  startMs: number;
  /** Resident memory then, MiB. */
  idleMiB: number;
  cpuSeconds(): number;
  memoryMiB(): number;
  stop(): Promise<void>;
}

export interface ServerScript {
  script: string;
  args(port: number): string[];
  env?: Record<string, string>;
  /** 0 is the first server on the machine. */
  index?: number;
  profile?: string | undefined;
}

const readyWithinMs = 30_000;
const stopWithinMs = 15_000;
const leash = pathToFileURL(new URL("leash.ts", import.meta.url).pathname).href;

export async function startServer({
  script,
  args,
  env = {},
  index = 0,
  profile,
}: ServerScript): Promise<ServerProcess> {
  const port = await findFreePort();
  const profiling = profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profile];
  const [program = "", ...rest] = pinned(index, [
    process.execPath,
    ...profiling,
    "--import",
    leash,
    script,
    ...args(port),
  ]);
  const startedMs = performance.now();
  const child = spawn(program, rest, { stdio: ["pipe", "ignore", "inherit"], env: { ...process.env, ...env } });
  try {
    await untilReady(port, child);
  } catch (error) {
    await stop(child);
    throw error;
  }
  const pid = child.pid ?? 0;
  return {
    port,
    startMs: performance.now() - startedMs,
    idleMiB: memoryMiBOf(pid),
    cpuSeconds: () => cpuSecondsOf(pid),
    memoryMiB: () => memoryMiBOf(pid),
    stop: () => stop(child),
  };
}

async function untilReady(port: number, child: ChildProcess) {
  const deadlineMs = performance.now() + readyWithinMs;
  while (performance.now() < deadlineMs) {
    if (hasEnded(child)) throw new Error(`the server ended with ${child.exitCode ?? child.signalCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await delay(5);
  }
  throw new Error("the server did not become ready");
}

async function stop(child: ChildProcess) {
  if (hasEnded(child)) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopWithinMs);
  await ended.finally(() => clearTimeout(timer));
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
