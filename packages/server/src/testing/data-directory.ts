/** A fresh installation in a directory of its own, on either database, as `init` makes it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KeyFile, Profile } from "@sparekey/contract";
import { type Company, createInstallation, findCompany } from "../installation/service.ts";
import { generateRootKey, KeyringService, parseRootKey, type RootKey } from "../keyring/service.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { migrateToLatest } from "../platform/database/migrate.ts";
import { openSqlite } from "../platform/database/sqlite.ts";
import { createLog } from "../platform/log.ts";
import { systemRandom } from "../platform/random.ts";
import { RevisionService } from "../revision/service.ts";
import { migrations } from "../schema/migrations.ts";
import type { Tables } from "../schema/tables.ts";
import { clonePostgres, openClone } from "./on-postgres.ts";
import type { TestDatabase } from "./postgres/databases.ts";

export interface DataDirectory {
  dataDir: string;
  rootKey: RootKey;
  keyFile: KeyFile;
  clientKey: string;
  /** Undefined on SQLite, whose database is in the directory. */
  postgres: TestDatabase | undefined;
}

/** What a process holds of an installation while it runs. */
export interface OpenInstallation {
  db: Database<Tables>;
  company: Company;
  revision: RevisionService;
  keyring: KeyringService;
}

/** Every test that uses an installation runs on both: `npm test` says which with this variable. */
export const onPostgres = process.env.TEST_DATABASE === "postgres";

export async function makeDataDirectory(profile: Profile, clock: Clock): Promise<DataDirectory> {
  const dataDir = mkdtempSync(join(tmpdir(), "sparekey-test-"));
  const rootKey = parseRootKey(generateRootKey(systemRandom)) as RootKey;
  const postgres = onPostgres ? await clonePostgres() : undefined;
  const db = openTestDatabase({ dataDir, postgres });
  if (postgres === undefined) await db.migrate((connection) => migrateToLatest(connection, migrations));
  const request = { companyName: "Test Company", publicUrl: "http://localhost:8080", profile };
  const credentials = await createInstallation(db, rootKey, request, { clock, random: systemRandom });
  await db.close();
  return { dataDir, rootKey, postgres, ...credentials };
}

/** Opens the same database as often as a test likes, as restarts and other nodes do. */
export async function openDataDirectory(
  directory: Pick<DataDirectory, "dataDir" | "rootKey" | "postgres">,
  clock: Clock,
): Promise<OpenInstallation> {
  const db = openTestDatabase(directory);
  const company = (await findCompany(db.read)) as Company;
  return { db, company, ...(await openKeyring({ db, company, rootKey: directory.rootKey, clock })) };
}

/** The keyring of a node, and what tells it to look again. */
export async function openKeyring({ db, company, rootKey, clock, readRootKeys = async () => [] }: KeyringParts) {
  const parts = { db, companyId: company.id, clock };
  const revision = new RevisionService({ ...parts, others: db.shared });
  const log = createLog("silent");
  const keyring = await KeyringService.open({
    ...parts,
    ...{ random: systemRandom, revision, log, rootKey, readRootKeys },
  });
  return { revision, keyring };
}

interface KeyringParts {
  db: Database<Tables>;
  company: Company;
  rootKey: RootKey;
  clock: Clock;
  readRootKeys?: () => Promise<RootKey[]>;
}

/** Once nobody has it open any more. */
export async function removeDataDirectory({ dataDir, postgres }: Pick<DataDirectory, "dataDir" | "postgres">) {
  rmSync(dataDir, { recursive: true, force: true });
  await postgres?.drop();
}

export function databaseIn(dataDir: string): string {
  return join(dataDir, "sparekey.db");
}

function openTestDatabase({ dataDir, postgres }: Pick<DataDirectory, "dataDir" | "postgres">): Database<Tables> {
  // A thousand guesses at once, as the tests make them, are answered and not told to come back.
  const options = { patienceMs: 60_000 };
  return postgres === undefined ? openSqlite<Tables>(databaseIn(dataDir), options) : openClone(postgres, options);
}
