/** A fresh installation in a directory of its own, as `init` makes it, but with nothing to read it from disk. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KeyFile, Profile } from "@sparekey/contract";
import { type Company, createInstallation, findCompany } from "../installation/service.ts";
import { generateRootKey, type Keyring, openKeyring, parseRootKey, type RootKey } from "../keyring/service.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { migrateToLatest } from "../platform/database/migrate.ts";
import { openSqlite } from "../platform/database/sqlite.ts";
import { systemRandom } from "../platform/random.ts";
import { migrations } from "../schema/migrations.ts";
import type { Tables } from "../schema/tables.ts";

export interface DataDirectory {
  dataDir: string;
  rootKey: RootKey;
  keyFile: KeyFile;
  clientKey: string;
}

/** What a process holds of an installation while it runs. */
export interface OpenInstallation {
  db: Database<Tables>;
  company: Company;
  keyring: Keyring;
}

export async function makeDataDirectory(profile: Profile, clock: Clock): Promise<DataDirectory> {
  const dataDir = mkdtempSync(join(tmpdir(), "sparekey-test-"));
  const rootKey = parseRootKey(generateRootKey(systemRandom)) as RootKey;
  const db = openSqlite<Tables>(databaseIn(dataDir));
  await db.migrate((connection) => migrateToLatest(connection, migrations));
  const request = { companyName: "Test Company", publicUrl: "http://localhost:8080", profile };
  const credentials = await createInstallation(db, rootKey, request, { clock, random: systemRandom });
  await db.close();
  return { dataDir, rootKey, ...credentials };
}

export async function openDataDirectory({ dataDir, rootKey }: DataDirectory): Promise<OpenInstallation> {
  const db = openSqlite<Tables>(databaseIn(dataDir));
  const company = (await findCompany(db.read)) as Company;
  return { db, company, keyring: await openKeyring(db.read, company.id, rootKey, systemRandom) };
}

export function databaseIn(dataDir: string): string {
  return join(dataDir, "sparekey.db");
}
