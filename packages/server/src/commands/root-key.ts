/** The root key of this process, from wherever the configuration says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Config, RootKeySource } from "../config.ts";
import type { Company } from "../installation/service.ts";
import { parseRootKey, type RootKey, rootKeyFits } from "../keyring/service.ts";
import type { Database } from "../platform/database/database.ts";
import type { Tables } from "../schema/tables.ts";
import { CommandError } from "./command-error.ts";
import { runRootKeyCommand } from "./root-key-command.ts";
import { installNextRootKey, nextRootKeyIn, nextRootKeyName } from "./root-key-file.ts";

/** The root key as the configuration gives it; whether it fits the database shows only there. */
export async function getRootKey(source: RootKeySource, { dataDir }: Config): Promise<RootKey> {
  const text = await readText(source);
  const key = text === undefined ? undefined : parseRootKey(text);
  if (key !== undefined) return key;
  throw new CommandError(text === undefined ? "there is no root key" : "the root key is not 32 bytes of base64", {
    hint: hints[source.kind](dataDir),
    exitCode: 4,
  });
}

/**
 * The root key if it opens the database's keys, once a replacement that a crash cut short is finished: the file
 * beside it then holds the key that the database is wrapped under.
 */
export async function fitRootKey(
  rootKey: RootKey,
  { source, config }: { source: RootKeySource; config: Config },
  { db, company }: { db: Database<Tables>; company: Company },
): Promise<{ rootKey: RootKey; finished: boolean }> {
  if (await rootKeyFits(db.read, company.id, rootKey)) return { rootKey, finished: false };
  const next = nextRootKeyIn(config.dataDir);
  const nextFits = next !== undefined && (await rootKeyFits(db.read, company.id, next));
  if (!nextFits) throw doesNotFit("this database belongs to another root key; give the one that it was made with");
  if (source.kind !== "data directory") {
    throw doesNotFit(
      `keys rewrap replaced it: put what ${join(config.dataDir, nextRootKeyName)} holds where yours comes from`,
    );
  }
  installNextRootKey(config.dataDir);
  return { rootKey: next, finished: true };
}

/** What a running node may find where its root key comes from, after the key was replaced beside it. */
export async function readRootKeys(source: RootKeySource, { dataDir }: Config): Promise<RootKey[]> {
  const text = await readText(source);
  const key = text === undefined ? undefined : parseRootKey(text);
  const next = source.kind === "data directory" ? nextRootKeyIn(dataDir) : undefined;
  return [key, next].filter((one) => one !== undefined);
}

async function readText(source: RootKeySource): Promise<string | undefined> {
  if (source.kind === "value") return source.text;
  if (source.kind === "command") return runRootKeyCommand(source.command);
  try {
    return readFileSync(source.path, "utf8");
  } catch {
    return undefined;
  }
}

const hints: Record<RootKeySource["kind"], (dataDir: string) => string> = {
  value: () => "SPAREKEY_ROOT_KEY must hold what init wrote into root.key",
  command: () => "SPAREKEY_ROOT_KEY_COMMAND must print what init wrote into root.key, and nothing else",
  file: () => "SPAREKEY_ROOT_KEY_FILE must name a file with what init wrote into root.key",
  "data directory": (dataDir) =>
    `put the key that init made into ${join(dataDir, "root.key")}, or name it with SPAREKEY_ROOT_KEY_FILE`,
};

function doesNotFit(hint: string): CommandError {
  return new CommandError("the root key does not open the keys in the database", { hint, exitCode: 4 });
}
