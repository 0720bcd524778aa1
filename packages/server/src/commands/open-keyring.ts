/** The keyring's own commands: the database of the data directory, and what changes its keys. */
import { AuditService } from "../audit/service.ts";
import type { Config, Configuration } from "../config.ts";
import type { Company } from "../installation/service.ts";
import { RotationService } from "../keyring/rotation-service.ts";
import { type RootKey, WrongRootKey } from "../keyring/service.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import { type Database, DatabaseUnavailable } from "../platform/database/database.ts";
import { DatabaseClock } from "../platform/database-clock.ts";
import { systemRandom } from "../platform/random.ts";
import { RevisionService } from "../revision/service.ts";
import type { Tables } from "../schema/tables.ts";
import { CommandError } from "./command-error.ts";
import { getCompany, openDatabase } from "./open-installation.ts";
import { fitRootKey, getRootKey } from "./root-key.ts";

export interface OpenKeyring {
  db: Database<Tables>;
  company: Company;
  clock: Clock;
  rotation: RotationService;
}

export async function withKeyring<Result>(
  { config, secrets }: Configuration,
  work: (keyring: OpenKeyring) => Promise<Result>,
): Promise<Result> {
  const db = openDatabase(config, secrets);
  try {
    const company = await getCompany(db, config);
    const clock = await clockOf(db, config);
    const parts = { db, companyId: company.id, clock, random: systemRandom };
    // A server may be running beside this, and hold a lease on what this changes.
    const revision = new RevisionService({ ...parts, others: true });
    const rotation = new RotationService({ ...parts, revision, audit: new AuditService(parts) });
    return await work({ db, company, clock, rotation });
  } catch (error) {
    if (error instanceof WrongRootKey) throw explainWrongRootKey(error);
    throw error;
  } finally {
    await db.close();
  }
}

/** The root key that the configuration gives, once it has opened the database's keys. */
export async function getFittingRootKey(
  { config, secrets: { rootKey: source } }: Configuration,
  parts: OpenKeyring,
): Promise<RootKey> {
  return (await fitRootKey(await getRootKey(source, config), { source, config }, parts)).rootKey;
}

/** The clock that the nodes go by: an instant that is written down must be the same for all of them. */
async function clockOf(db: Database<Tables>, config: Config): Promise<Clock> {
  if (config.database.kind === "sqlite") return systemClock;
  const clock = new DatabaseClock(() => db.timeMs(), systemClock);
  await clock.sample();
  const problem = clock.problem();
  if (problem !== undefined) throw new DatabaseUnavailable(problem);
  return clock;
}

export function explainWrongRootKey(error: WrongRootKey): CommandError {
  return new CommandError(error.message, {
    hint: "this database belongs to another root key; give the one that it was made with",
    exitCode: 4,
    cause: error,
  });
}
