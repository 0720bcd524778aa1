/** Whether this node may answer at all: what has to hold besides the request itself. */
import { Refusal } from "./refusal.ts";

/** Says what is wrong, for the operator, or nothing. */
export type ReadinessCheck = () => string | undefined;

export class Readiness {
  readonly #checks: ReadinessCheck[] = [];

  add(check: ReadinessCheck): void {
    this.#checks.push(check);
  }

  problem(): string | undefined {
    for (const check of this.#checks) {
      const problem = check();
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  /** Refuses with `unavailable` while anything is wrong. */
  demand(): void {
    const problem = this.problem();
    if (problem !== undefined) throw new Refusal("unavailable", { detail: problem, retryAfterSeconds: 5 });
  }
}
