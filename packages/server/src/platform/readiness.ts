/** Whether this node may answer at all: what has to hold besides the request itself. */
import { Refusal } from "./refusal.ts";

/** Says what is wrong, for the log, or nothing. */
export type ReadinessCheck = () => string | undefined;

export interface NotReady {
  /** A permanent word, which anybody may see. */
  reason: string;
  /** For the log alone. */
  detail: string;
}

export class Readiness {
  readonly #checks = new Map<string, ReadinessCheck>();

  add(reason: string, check: ReadinessCheck): void {
    this.#checks.set(reason, check);
  }

  problem(): NotReady | undefined {
    for (const [reason, check] of this.#checks) {
      const detail = check();
      if (detail !== undefined) return { reason, detail };
    }
    return undefined;
  }

  /** Refuses with `unavailable` while anything is wrong. */
  demand(): void {
    const problem = this.problem();
    if (problem !== undefined) throw notReady(problem);
  }
}

export function notReady(problem: NotReady): Refusal {
  return new Refusal("unavailable", { ...problem, retryAfterSeconds: 5 });
}
