import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import type { Job } from "../platform/jobs.ts";
import type { Tables } from "../schema/tables.ts";
import { removeExpired } from "./store.ts";

const batch = 1_000;

/** Attempts that ended by themselves are refused from that moment on; this frees their rows. */
export function removeExpiredAttempts(db: Database<Tables>, clock: Clock): Job {
  return {
    name: "remove expired authentication attempts",
    everyMs: 60_000,
    run: async () => {
      let removed = batch;
      while (removed === batch) removed = await db.write((trx) => removeExpired(trx, clock.now(), batch));
    },
  };
}
