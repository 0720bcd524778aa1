import type { KeyringService } from "../keyring/service.ts";
import type { Database } from "../platform/database/database.ts";
import { withinMs } from "../platform/deadline.ts";
import { type NotReady, notReady, type Readiness } from "../platform/readiness.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Tables } from "../schema/tables.ts";

/** Probes are given up after a second, by load balancers that wait no longer. */
const answerWithinMs = 800;

interface Dependencies {
  db: Database<Tables>;
  keyring: KeyringService;
  readiness: Readiness;
  /** True from the moment on when the process was asked to stop. */
  isStopping: () => boolean;
  /** Whether the process has taken on all that it takes. */
  isFull: () => boolean;
}

export class HealthService {
  readonly #with: Dependencies;
  #probing: Promise<unknown> | undefined;

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
  }

  /** Refuses with `unavailable`, and the reason in a word, while this node should have no traffic. */
  async checkReady(): Promise<void> {
    const problem = await this.problem();
    if (problem !== undefined) throw notReady(problem);
  }

  /** Answers within a second, also when the database does not. */
  async problem(): Promise<NotReady | undefined> {
    const { readiness, isStopping, isFull } = this.#with;
    if (isStopping()) return { reason: "stopping", detail: "the process was asked to stop" };
    const known = readiness.problem();
    if (known !== undefined) return known;
    try {
      const answers = Promise.all([this.#probe(), this.#with.keyring.checkReady()]);
      await withinMs(answerWithinMs, answers, () => new Error("the database takes too long"));
      return undefined;
    } catch (error) {
      const detail = (error as Error).message;
      if (error instanceof Refusal) return { reason: "keys", detail };
      return { reason: isFull() ? "overloaded" : "database", detail };
    }
  }

  /** One at a time however many ask, since anybody may: while one hangs, nobody starts another. */
  #probe(): Promise<unknown> {
    // Through the queue that every write waits in, so that a stuck writer is not called ready.
    this.#probing ??= this.#with.db
      .write((trx) => trx.selectFrom("company").select("id").executeTakeFirstOrThrow())
      .finally(() => {
        this.#probing = undefined;
      });
    return this.#probing;
  }
}
