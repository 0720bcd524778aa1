import type { Database } from "../platform/database/database.ts";
import type { Readiness } from "../platform/readiness.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Tables } from "../schema/tables.ts";

export class HealthService {
  readonly #db: Database<Tables>;
  readonly #readiness: Readiness;
  readonly #isStopping: () => boolean;
  readonly #rollback: { check(): Promise<void> } | undefined;

  /** `isStopping` is true from the moment the process was asked to stop. */
  constructor(
    db: Database<Tables>,
    readiness: Readiness,
    isStopping: () => boolean,
    rollback?: { check(): Promise<void> },
  ) {
    this.#db = db;
    this.#readiness = readiness;
    this.#isStopping = isStopping;
    this.#rollback = rollback;
  }

  /** Refuses with `unavailable` while the process is stopping, the record went back, or the database takes no transaction. */
  async checkReady(): Promise<void> {
    if (this.#isStopping()) throw new Refusal("unavailable", { detail: "stopping", retryAfterSeconds: 5 });
    this.#readiness.demand();
    await this.#rollback?.check();
    // Through the queue that every write waits in, so that a stuck writer is not called ready.
    await this.#db.write((trx) => trx.selectFrom("company").select("id").executeTakeFirstOrThrow());
  }
}
