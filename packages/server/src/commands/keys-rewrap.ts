/** `sparekey-server keys rewrap`: another root key, beside a live server. */
import { mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Configuration, RootKeySource } from "../config.ts";
import { generateRootKey, parseRootKey } from "../keyring/service.ts";
import { takeProcessLock } from "../platform/database/process-lock.ts";
import { systemRandom } from "../platform/random.ts";
import { CommandError } from "./command-error.ts";
import { getFittingRootKey, withKeyring } from "./open-keyring.ts";
import { installNextRootKey, nextRootKeyName, writeNextRootKey } from "./root-key-file.ts";

export interface Rewrapped {
  keys: number;
  /** Where the new root key lies. */
  rootKey: string;
  /** Whether a server on this data directory finds it there by itself. */
  installed: boolean;
}

/**
 * Whatever moment it dies at, the database opens with the old root key or with the one in `root.key.next`, and the
 * next start finds out which.
 */
export async function rewrapKeys(configuration: Configuration, newKeyFile: string | undefined): Promise<Rewrapped> {
  const { config, secrets } = configuration;
  const { dataDir } = config;
  return withKeyring(configuration, async (keyring) => {
    const lock = lockRootKey(dataDir);
    try {
      const rootKey = await getFittingRootKey(configuration, keyring);
      const text = newKeyFile === undefined ? generateRootKey(systemRandom) : readNewKey(newKeyFile);
      const newRootKey = parseRootKey(text);
      if (newRootKey === undefined) throw wrongKeyFile(`${newKeyFile} does not hold 32 bytes of base64`);
      if (newRootKey.equals(rootKey)) throw wrongKeyFile(`${newKeyFile} holds the root key that is in use`);
      const installed = secrets.rootKey.kind === "data directory";
      const kept = installed || newKeyFile === undefined ? writeNextRootKey(dataDir, text) : newKeyFile;
      const keys = await keyring.rotation.replaceRootKey(rootKey, newRootKey);
      if (installed) installNextRootKey(dataDir);
      return { keys, rootKey: installed ? join(dataDir, "root.key") : kept, installed };
    } finally {
      lock.release();
    }
  });
}

/** Where the new key is, and where else it must go. */
export function describeRewrap({ keys, rootKey, installed }: Rewrapped, source: RootKeySource): string {
  const place: Record<RootKeySource["kind"], string> = {
    value: "into SPAREKEY_ROOT_KEY",
    command: "where SPAREKEY_ROOT_KEY_COMMAND finds it",
    file: `into ${source.kind === "file" ? source.path : ""}, which SPAREKEY_ROOT_KEY_FILE names`,
    "data directory": "",
  };
  const removal = basename(rootKey) === nextRootKeyName ? `\nThen remove ${rootKey}.` : "";
  const next = installed
    ? "On other nodes, put it where their root key comes from before they start again; until then they go on working."
    : `Put it ${place[source.kind]}, on every node, before any of them starts again; until then they go on working.${removal}`;
  return `Wrapped ${keys} keys under a new root key: ${rootKey}
${next}
Keep a copy of it elsewhere, and keep the old one for as long as there are backups from before: they open with that alone.`;
}

function readNewKey(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw wrongKeyFile(`cannot read ${path} (${(error as Error).message})`);
  }
}

function wrongKeyFile(message: string): CommandError {
  return new CommandError(message, {
    hint: "make a root key with: openssl rand -base64 32, or leave --new-root-key-file out",
    exitCode: 2,
  });
}

/** Two replacements at once would overwrite each other's key. */
function lockRootKey(dataDir: string): { release(): void } {
  // A node on PostgreSQL that gets its root key from elsewhere has kept nothing there yet.
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = takeProcessLock(join(dataDir, "rewrap.lock"));
  if (lock !== undefined) return lock;
  throw new CommandError(`the root key of ${dataDir} is being replaced already`, {
    hint: "wait for the other keys rewrap to end",
    exitCode: 3,
  });
}
