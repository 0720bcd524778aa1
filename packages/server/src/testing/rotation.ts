/** What changes an installation's keys, as the maintenance commands do it, and clocks for several nodes. */
import { setTimeout as delay } from "node:timers/promises";
import { AuditService } from "../audit/service.ts";
import type { Company } from "../installation/service.ts";
import { RotationService } from "../keyring/rotation-service.ts";
import { type Clock, instantToMs } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { systemRandom } from "../platform/random.ts";
import { RevisionService } from "../revision/service.ts";
import type { Tables } from "../schema/tables.ts";
import { createTestClock, type TestClock } from "./clock.ts";

const answerMs = 30;

interface Parts {
  db: Database<Tables>;
  company: Company;
  clock: Clock;
}

export function rotationOf({ db, company, clock }: Parts): RotationService {
  const parts = { db, companyId: company.id, clock, random: systemRandom };
  const revision = new RevisionService({ ...parts, others: true });
  return new RotationService({ ...parts, revision, audit: new AuditService(parts) });
}

/**
 * A clock by which leases end too. Nobody waits on it for longer than a database takes to answer; how long they
 * would have is in `slept`.
 */
export function createWholeClock(): TestClock & { readonly slept: number[] } {
  const clock = createTestClock();
  const slept: number[] = [];
  const startedMs = instantToMs(clock.now());
  return {
    ...clock,
    monotonicMs: () => instantToMs(clock.now()) - startedMs,
    slept,
    sleep: async (durationMs) => {
      slept.push(durationMs);
      await delay(answerMs);
    },
  };
}
