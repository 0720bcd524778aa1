/** `sparekey-server init`: makes a data directory with everything a first `serve` needs. */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { createInstallation } from "../installation/service.ts";
import { generateRootKey, parseRootKey, type RootKey } from "../keyring/service.ts";
import { systemClock } from "../platform/clock.ts";
import { migrateToLatest } from "../platform/database/migrate.ts";
import { openSqlite } from "../platform/database/sqlite.ts";
import { systemRandom } from "../platform/random.ts";
import { migrations } from "../schema/migrations.ts";
import type { Tables } from "../schema/tables.ts";
import { CommandError } from "./command-error.ts";
import { databaseFile } from "./open-installation.ts";

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
export async function init(config: Config): Promise<Initialised> {
  const { dataDir } = config;
  const paths = {
    dataDir,
    database: join(dataDir, databaseFile),
    rootKey: join(dataDir, "root.key"),
    authnKeyFile: join(dataDir, "authn-api.key"),
  };
  for (const path of [paths.database, paths.rootKey, paths.authnKeyFile]) {
    if (existsSync(path)) throw alreadyInitialised(path);
  }
  const made: string[] = [];
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    chmodSync(dataDir, 0o700);
    const rootKeyText = generateRootKey(systemRandom);
    writeSecret(paths.rootKey, rootKeyText, made);
    made.push(paths.database, `${paths.database}-wal`, `${paths.database}-shm`);
    const credentials = await fillDatabase(paths.database, parseRootKey(rootKeyText) as RootKey, config);
    const keyFile = join(dataDir, `${credentials.keyFile.accessID}.key`);
    writeSecret(keyFile, JSON.stringify(credentials.keyFile, null, 2), made);
    writeSecret(paths.authnKeyFile, credentials.clientKey, made);
    return { ...paths, keyFile };
  } catch (error) {
    for (const path of made) rmSync(path, { force: true });
    throw error;
  }
}

async function fillDatabase(path: string, rootKey: RootKey, config: Config) {
  const db = openSqlite<Tables>(path);
  try {
    await db.migrate((connection) => migrateToLatest(connection, migrations));
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
