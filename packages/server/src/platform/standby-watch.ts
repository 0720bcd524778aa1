import type { Clock } from "./clock.ts";

/** What was seen so long ago says nothing any more. */
const maxAgeMs = 3_000;

/** Whether a synchronous standby is there, looked up now and then. */
export class StandbyWatch {
  readonly #count: () => Promise<number>;
  readonly #clock: Pick<Clock, "monotonicMs">;
  #seenAtMs = Number.NEGATIVE_INFINITY;
  #standbys = 0;

  constructor(count: () => Promise<number>, clock: Pick<Clock, "monotonicMs">) {
    this.#count = count;
    this.#clock = clock;
  }

  async look(): Promise<void> {
    const askedAtMs = this.#clock.monotonicMs();
    this.#standbys = await this.#count();
    this.#seenAtMs = askedAtMs;
  }

  problem(): string | undefined {
    if (this.#clock.monotonicMs() - this.#seenAtMs > maxAgeMs) return "whether there is a standby is not known";
    return this.#standbys === 0 ? "the database has lost its synchronous standby" : undefined;
  }
}
