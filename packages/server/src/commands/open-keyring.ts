/** The keyring's own commands: the database of the data directory, and what changes its keys. */
import { AuditService } from "../audit/service.ts";
import type { Config, Secrets } from "../config.ts";
import type { Company } from "../installation/service.ts";
import { RotationService } from "../keyring/rotation-service.ts";
import { type RootKey, WrongRootKey } from "../keyring/service.ts";
import { systemClock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { systemRandom } from "../platform/random.ts";
import { RevisionService } from "../revision/service.ts";
import type { Tables } from "../schema/tables.ts";
import { CommandError } from "./command-error.ts";
import { getCompany, openDatabase } from "./open-installation.ts";
import { fitRootKey, getRootKey } from "./root-key.ts";

export interface OpenKeyring {
  db: Database<Tables>;
  company: Company;
  rotation: RotationService;
}

export async function withKeyring<Result>(
  config: Config,
  work: (keyring: OpenKeyring) => Promise<Result>,
): Promise<Result> {
  const db = openDatabase(config);
  try {
    const company = await getCompany(db, config);
    const parts = { db, companyId: company.id, clock: systemClock, random: systemRandom };
    // A server may be running beside this, and hold a lease on what this changes.
    const revision = new RevisionService({ ...parts, others: true });
    const rotation = new RotationService({ ...parts, revision, audit: new AuditService(parts) });
    return await work({ db, company, rotation });
  } catch (error) {
    if (error instanceof WrongRootKey) throw explainWrongRootKey(error);
    throw error;
  } finally {
    await db.close();
  }
}

/** The root key that the configuration gives, once it has opened the database's keys. */
export async function getFittingRootKey(
  config: Config,
  { rootKey: source }: Secrets,
  parts: OpenKeyring,
): Promise<RootKey> {
  return (await fitRootKey(await getRootKey(source, config), { source, config }, parts)).rootKey;
}

export function explainWrongRootKey(error: WrongRootKey): CommandError {
  return new CommandError(error.message, {
    hint: "this database belongs to another root key; give the one that it was made with",
    exitCode: 4,
    cause: error,
  });
}
