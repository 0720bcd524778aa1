import type { KeyringService } from "../keyring/service.ts";
import type { Database } from "../platform/database/database.ts";
import type { Readiness } from "../platform/readiness.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Tables } from "../schema/tables.ts";

interface Watched {
  keyring: KeyringService;
  readiness: Readiness;
  /** True from the moment the process was asked to stop. */
  isStopping: () => boolean;
  rollback: { check(): Promise<void> } | undefined;
}

export class HealthService {
  readonly #db: Database<Tables>;
  readonly #keyring: KeyringService;
  readonly #readiness: Readiness;
  readonly #isStopping: () => boolean;
  readonly #rollback: { check(): Promise<void> } | undefined;

  constructor(db: Database<Tables>, { keyring, readiness, isStopping, rollback }: Watched) {
    this.#db = db;
    this.#keyring = keyring;
    this.#readiness = readiness;
    this.#isStopping = isStopping;
    this.#rollback = rollback;
  }

  /** Refuses with `unavailable` while anything of it is wrong, or the database takes no transaction. */
  async checkReady(): Promise<void> {
    if (this.#isStopping()) throw new Refusal("unavailable", { detail: "stopping", retryAfterSeconds: 5 });
    this.#readiness.demand();
    await this.#rollback?.check();
    // Through the queue that every write waits in, so that a stuck writer is not called ready.
    await this.#db.write((trx) => trx.selectFrom("company").select("id").executeTakeFirstOrThrow());
    await this.#keyring.checkReady();
  }
}
