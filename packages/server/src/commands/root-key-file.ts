/**
 * `root.key` and its replacement. The new key lies in `root.key.next` before the database is wrapped under it, and
 * takes its place afterwards. So whatever a crash leaves, one of the two files opens the database.
 */
import { closeSync, fchmodSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parseRootKey, type RootKey } from "../keyring/service.ts";

export const nextRootKeyName = "root.key.next";

export function nextRootKeyIn(dataDir: string): RootKey | undefined {
  try {
    return parseRootKey(readFileSync(join(dataDir, nextRootKeyName), "utf8"));
  } catch {
    return undefined;
  }
}

/** On disk before this returns; answers the path. What an earlier run has left there is overwritten. */
export function writeNextRootKey(dataDir: string, key: string): string {
  const path = join(dataDir, nextRootKeyName);
  const file = openSync(path, "w", 0o600);
  try {
    fchmodSync(file, 0o600);
    writeSync(file, `${key}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  syncDirectory(dataDir);
  return path;
}

/** Makes the new key the data directory's. A process that starts meanwhile may have done so already. */
export function installNextRootKey(dataDir: string): void {
  try {
    renameSync(join(dataDir, nextRootKeyName), join(dataDir, "root.key"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  syncDirectory(dataDir);
}

/** A name in a directory survives a loss of power only once the directory itself is flushed. */
function syncDirectory(path: string) {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
