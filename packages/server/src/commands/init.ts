/** `sparekey-server init`: makes a data directory with everything a first `serve` needs. */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Configuration } from "../config.ts";
import { createInstallation, findCompany } from "../installation/service.ts";
import { generateRootKey, parseRootKey, type RootKey } from "../keyring/service.ts";
import { systemClock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { openSqlite } from "../platform/database/sqlite.ts";
import { systemRandom } from "../platform/random.ts";
import type { Tables } from "../schema/tables.ts";
import { CommandError } from "./command-error.ts";
import { migrateAsOwner } from "./migrate.ts";
import { databaseFile, databaseName, openAsOwner } from "./open-installation.ts";

/** Paths of what was made. */
export interface Initialised {
  dataDir: string;
  database: string;
  rootKey: string;
  keyFile: string;
  authnKeyFile: string;
}

const defaultPublicUrl = "http://localhost:8080";

/** Overwrites nothing; when it fails half way, it removes what it made. */
export async function init({ config, secrets }: Configuration): Promise<Initialised> {
  const { dataDir } = config;
  const embedded = config.database.kind === "sqlite";
  const file = join(dataDir, databaseFile);
  const paths = {
    dataDir,
    // Without its password.
    database: embedded ? file : databaseName(secrets),
    rootKey: join(dataDir, "root.key"),
    authnKeyFile: join(dataDir, "authn-api.key"),
  };
  for (const path of [file, paths.rootKey, paths.authnKeyFile]) {
    if (existsSync(path)) throw alreadyInitialised(path);
  }
  const made: string[] = [];
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    chmodSync(dataDir, 0o700);
    const rootKeyText = generateRootKey(systemRandom);
    writeSecret(paths.rootKey, rootKeyText, made);
    if (embedded) made.push(file, `${file}-wal`, `${file}-shm`);
    const db = embedded ? openSqlite<Tables>(file) : openAsOwner(config, secrets);
    const credentials = await fillDatabase(db, parseRootKey(rootKeyText) as RootKey, { config, secrets });
    const keyFile = join(dataDir, `${credentials.keyFile.accessID}.key`);
    writeSecret(keyFile, JSON.stringify(credentials.keyFile, null, 2), made);
    writeSecret(paths.authnKeyFile, credentials.clientKey, made);
    return { ...paths, keyFile };
  } catch (error) {
    for (const path of made) rmSync(path, { force: true });
    throw error;
  }
}

async function fillDatabase(db: Database<Tables>, rootKey: RootKey, { config, secrets }: Configuration) {
  try {
    await migrateAsOwner(db, secrets);
    if ((await findCompany(db.read)) !== undefined) throw alreadyInitialised(databaseName(secrets));
    const { companyName, profile, publicUrl = defaultPublicUrl } = config;
    const request = { companyName, profile, publicUrl };
    return await createInstallation(db, rootKey, request, { clock: systemClock, random: systemRandom });
  } finally {
    await db.close();
  }
}

function writeSecret(path: string, content: string, made: string[]) {
  writeFileSync(path, `${content}\n`, { mode: 0o600, flag: "wx" });
  made.push(path);
}

function alreadyInitialised(path: string): CommandError {
  return new CommandError(`${path} is already there, and init overwrites nothing`, {
    hint: "start it with: sparekey-server serve, or choose another --data-dir",
    exitCode: 3,
  });
}
