/**
 * A process of its own that outlives the tests by a moment: when whoever started it is gone, however it ended, it kills
 * the servers that are left and removes their directories.
 *
 * Neither `process.on("exit")` nor a test's `after` runs on Ctrl-C, on SIGKILL or when a test runner gives up. The end of
 * a pipe is noticed in every case.
 */
import { createInterface } from "node:readline";
import { killTree } from "./process-tree.ts";
import { removeCluster } from "./remove-cluster.ts";

/** A line of the guard's input. A server that is not running has no pid; one that was removed has no directory. */
export interface GuardedServer {
  directory: string;
  pid: number | undefined;
  removed?: boolean;
}

const servers = new Map<string, number | undefined>();

for await (const line of createInterface({ input: process.stdin })) {
  const { directory, pid, removed } = JSON.parse(line) as GuardedServer;
  if (removed) servers.delete(directory);
  else servers.set(directory, pid);
}

for (const [directory, pid] of servers) {
  if (pid !== undefined) await killTree(pid);
  removeCluster(directory);
}
