/** What is left to do for a server that does not run any more. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/** The data directory inside the directory of a server. */
export function dataDirectoryIn(directory: string): string {
  return join(directory, "data");
}

export function removeCluster(directory: string) {
  releaseSharedMemory(join(dataDirectoryIn(directory), "postmaster.pid"));
  rmSync(directory, { recursive: true, force: true });
}

/**
 * A killed server leaves a segment of System V shared memory behind, by which the next one in the same data directory
 * would see that it is alone. No next one will come.
 */
function releaseSharedMemory(lockFile: string) {
  const [, segment] = readLine(lockFile, 7).trim().split(/\s+/);
  if (segment !== undefined) spawnSync("ipcrm", ["-m", segment], { stdio: "ignore" });
}

/** A line of a lock file, counted from 1; empty when there is none. */
export function readLine(path: string, number: number): string {
  try {
    return readFileSync(path, "utf8").split("\n")[number - 1] ?? "";
  } catch {
    return "";
  }
}
