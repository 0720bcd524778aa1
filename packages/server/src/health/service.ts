import type { KeyringService } from "../keyring/service.ts";
import type { Database } from "../platform/database/database.ts";
import type { Readiness } from "../platform/readiness.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Tables } from "../schema/tables.ts";

export class HealthService {
  readonly #db: Database<Tables>;
  readonly #keyring: KeyringService;
  readonly #readiness: Readiness;
  readonly #isStopping: () => boolean;

  /** `isStopping` is true from the moment the process was asked to stop. */
  constructor(db: Database<Tables>, keyring: KeyringService, readiness: Readiness, isStopping: () => boolean) {
    this.#db = db;
    this.#keyring = keyring;
    this.#readiness = readiness;
    this.#isStopping = isStopping;
  }

  /** Refuses with `unavailable` while the process is stopping, the database takes no transaction or a key is missing. */
  async checkReady(): Promise<void> {
    if (this.#isStopping()) throw new Refusal("unavailable", { detail: "stopping", retryAfterSeconds: 5 });
    this.#readiness.demand();
    // Through the queue that every write waits in, so that a stuck writer is not called ready.
    await this.#db.write((trx) => trx.selectFrom("company").select("id").executeTakeFirstOrThrow());
    await this.#keyring.checkReady();
  }
}
