/**
 * A process and its children, to be stopped or killed as one.
 *
 * Signalling the process group is not enough: every backend of PostgreSQL makes itself the leader of its own.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

interface ProcessEntry {
  pid: number;
  parent: number;
  /** One letter, as `ps` says it: T is stopped, Z has ended and waits for its parent to notice. */
  state: string;
}

const patienceMs = 10_000;

/** Ends them all without a warning, as a crash of the machine does, and resolves once they are gone. */
export async function killTree(root: number): Promise<void> {
  const pids = await freeze(root);
  for (const pid of pids) send(pid, "SIGKILL");
  await until(() => !listProcesses().some(({ pid, state }) => pids.includes(pid) && state !== "Z"));
}

/** Stops them all where they are. Connections stay open and nothing answers. */
export async function freezeTree(root: number): Promise<void> {
  for (const pid of await freeze(root)) send(pid, "SIGSTOP");
}

export async function resumeTree(root: number): Promise<void> {
  for (const pid of [...childrenOf(root), root]) send(pid, "SIGCONT");
}

/** Stops the root, which from then on starts no more children, and answers all there are. */
async function freeze(root: number): Promise<number[]> {
  send(root, "SIGSTOP");
  await until(() => {
    const state = listProcesses().find(({ pid }) => pid === root)?.state;
    return state === undefined || state === "T" || state === "Z";
  });
  return [root, ...childrenOf(root)];
}

function childrenOf(root: number): number[] {
  return listProcesses()
    .filter(({ parent }) => parent === root)
    .map(({ pid }) => pid);
}

function send(pid: number, signal: NodeJS.Signals) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function listProcesses(): ProcessEntry[] {
  return existsSync("/proc/self/stat") ? fromProc() : fromPs();
}

function fromProc(): ProcessEntry[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = readStat(name);
      // `pid (any name at all) state parent …`
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return state && parent ? [{ pid: Number(name), parent: Number(parent), state }] : [];
    });
}

/** Empty for a process that ended since it was listed. */
function readStat(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return "";
  }
}

function fromPs(): ProcessEntry[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,state="], { encoding: "utf8" }).trim().split("\n");
  return lines.map((line) => {
    const [pid, parent, state = ""] = line.trim().split(/\s+/);
    return { pid: Number(pid), parent: Number(parent), state: state.slice(0, 1) };
  });
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error("a process of PostgreSQL did not follow its signal");
    await sleep(2);
  }
}
