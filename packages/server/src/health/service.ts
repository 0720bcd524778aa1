import type { Database } from "../platform/database/database.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Tables } from "../schema/tables.ts";

export interface HealthService {
  /** Refuses with `unavailable` while the process is stopping or the database takes no transaction. */
  checkReady(): Promise<void>;
}

/** `isStopping` is true from the moment the process was asked to stop. */
export function createHealthService(db: Database<Tables>, isStopping: () => boolean): HealthService {
  return {
    checkReady: async () => {
      if (isStopping()) throw new Refusal("unavailable", { detail: "stopping", retryAfterSeconds: 5 });
      // Through the queue that every write waits in, so that a stuck writer is not called ready.
      await db.write((trx) => trx.selectFrom("company").select("id").executeTakeFirstOrThrow());
    },
  };
}
