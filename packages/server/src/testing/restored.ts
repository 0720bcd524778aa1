/** A backup, restored into a directory of its own and opened with its services. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServices } from "../app.ts";
import { checkBackup, makeBackup, type Restored, restoreBackup } from "../backup/service.ts";
import { type Company, findCompany } from "../installation/service.ts";
import type { RootKey } from "../keyring/service.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { openSqlite } from "../platform/database/sqlite.ts";
import { systemRandom } from "../platform/random.ts";
import type { Call } from "../principal.ts";
import type { Tables } from "../schema/tables.ts";
import { openKeyring } from "./data-directory.ts";
import { rotationOf } from "./rotation.ts";

export interface RestoredCore extends ReturnType<typeof createServices>, Restored {
  db: Database<Tables>;
  company: Company;
  /** Whether the code is accepted. */
  verify(user: string, code: string): Promise<boolean>;
  close(): Promise<void>;
}

const nobody: Call = { principal: { kind: "anonymous", id: null }, requestId: null, address: null };
const random = systemRandom;
const onRows = () => undefined;

export function backUp(db: Database<Tables>, path: string, clock: Clock) {
  return makeBackup(db, { clock, version: "test", path, onRows });
}

export async function restoreFrom(path: string, rootKey: RootKey, clock: Clock): Promise<RestoredCore> {
  const directory = mkdtempSync(join(tmpdir(), "sparekey-restored-"));
  const db = openSqlite<Tables>(join(directory, "sparekey.db"));
  const close = async () => {
    await db.close();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const options = { clock, random, fileName: "test.backup", onRows };
    const restored = await restoreBackup(db, await checkBackup(path), options);
    const services = await openServices(db, rootKey, clock);
    return { ...services, ...restored, db, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The services of whatever installation a database holds. */
export async function openServices(db: Database<Tables>, rootKey: RootKey, clock: Clock) {
  const company = (await findCompany(db.read)) as Company;
  await rotationOf({ db, company, clock }).addMissingKeys(rootKey);
  const { keyring, revision } = await openKeyring({ db, company, rootKey, clock });
  const services = createServices({ db, company, revision, keyring, clock, random });
  const verify = async (user: string, code: string) => (await services.codes.verify(nobody, { user, code })).accepted;
  return { ...services, company, verify };
}

/** Every row of a table, in an order that both sides of a comparison share. */
export async function rowsOf<Table extends keyof Tables>({ read }: Database<Tables>, table: Table): Promise<unknown[]> {
  const rows = await read.selectFrom(table).selectAll().execute();
  return rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
