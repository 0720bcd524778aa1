/** One node of several on PostgreSQL: the database's time, its standby, and the schema that somebody else migrates. */
import type { Config } from "../config.ts";
import { type Clock, systemClock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { pendingMigrations } from "../platform/database/migrate.ts";
import { DatabaseClock } from "../platform/database-clock.ts";
import type { Job } from "../platform/jobs.ts";
import type { Log } from "../platform/log.ts";
import type { Readiness } from "../platform/readiness.ts";
import { StandbyWatch } from "../platform/standby-watch.ts";
import { migrations } from "../schema/migrations.ts";
import { mayRewriteRecord } from "../schema/privileges.ts";
import type { Tables } from "../schema/tables.ts";
import { CommandError } from "./command-error.ts";

const everyMs = 1_000;
const waitForSchemaMs = 60_000;
const lookForSchemaMs = 500;
const waitForTimeMs = 60_000;

export interface DatabaseNode {
  clock: Clock;
  jobs: Job[];
  /** Gives back what kept other processes away. */
  release?: () => void;
}

/** Waits until the database can be served, and says when it can no longer be. */
export async function joinDatabase(
  db: Database<Tables>,
  { ha }: Config,
  { log, readiness }: { log: Log; readiness: Readiness },
): Promise<DatabaseNode> {
  await waitForSchema(db, log);
  const clock = new DatabaseClock(() => db.timeMs(), systemClock);
  await waitForTime(clock);
  readiness.add("clock", () => clock.problem());
  const jobs: Job[] = [{ name: "sample the database's time", everyMs, run: () => clock.sample() }];
  if (ha === "required") {
    const standbys = new StandbyWatch(() => db.synchronousStandbys(), systemClock);
    await standbys.look();
    if (standbys.problem() !== undefined) throw noStandby();
    readiness.add("standby", () => standbys.problem());
    jobs.push({ name: "look for the standby", everyMs, run: () => standbys.look() });
  }
  if (await mayRewriteRecord(db.read)) {
    log.warn("the database role may change the record, so that it is only added to is not enforced; use two roles");
  }
  return { clock, jobs };
}

/** Migrating is a command's work, so that ten nodes can start at once and none of them needs to own a table. */
async function waitForSchema(db: Database<Tables>, log: Log) {
  for (let waitedMs = 0; ; waitedMs += lookForSchemaMs) {
    const { pending } = await pendingMigrations(db.read, migrations);
    if (pending.length === 0) return;
    if (waitedMs >= waitForSchemaMs) {
      throw new CommandError(`the database still needs ${pending.length} migration(s)`, {
        hint: "run once, with SPAREKEY_DATABASE_OWNER_URL: sparekey-server migrate",
        exitCode: 3,
      });
    }
    if (waitedMs === 0) log.warn({ pending }, "waiting for the schema; run: sparekey-server migrate");
    await systemClock.sleep(lookForSchemaMs);
  }
}

/** The first answers of a busy database may be too slow to tell its time by, and without it nothing can be written down. */
async function waitForTime(clock: DatabaseClock) {
  const endMs = clock.monotonicMs() + waitForTimeMs;
  while (true) {
    await clock.sample();
    if (clock.problem() === undefined) return;
    if (clock.monotonicMs() > endMs) {
      throw new CommandError("the database answers too slowly to tell the time by", {
        hint: "check the network between this node and SPAREKEY_DATABASE_URL, and the database's load",
        exitCode: 6,
      });
    }
  }
}

function noStandby(): CommandError {
  return new CommandError("SPAREKEY_HA is required, and the database has no synchronous standby", {
    hint: "set synchronous_standby_names and start the standby; the role must see it: GRANT pg_read_all_stats TO the role",
    exitCode: 6,
  });
}
