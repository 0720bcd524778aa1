/**
 * The database's time on every node, so that nodes agree on it whatever their own clocks say.
 *
 * The difference to this process's monotonic clock is sampled every second, and the monotonic clock carries the
 * time on between samples. A jump of the node's own clock is therefore without effect; a jump of the database's
 * is noticed, and the node answers nothing until it is looked at or has passed.
 */
import { type Clock, type Instant, instantFromMs } from "./clock.ts";

/** A sample older than this says nothing any more. */
const maxAgeMs = 5_000;
/** Two samples may differ by this much, which a slow answer explains; more is somebody's clock gone wrong. */
const maxStepMs = 1_000;
/** An answer that took longer says too little about when the database looked at its clock. */
const maxTripMs = 500;

type Monotonic = Pick<Clock, "monotonicMs" | "sleep">;

export class DatabaseClock implements Clock {
  readonly #monotonic: Monotonic;
  readonly #askMs: () => Promise<number>;
  #offsetMs = Number.NaN;
  #sampledAtMs = Number.NEGATIVE_INFINITY;
  #jumpedMs = 0;

  /** `askMs` answers the database's time in milliseconds since 1970. */
  constructor(askMs: () => Promise<number>, monotonic: Monotonic) {
    this.#askMs = askMs;
    this.#monotonic = monotonic;
  }

  now(): Instant {
    return instantFromMs(Math.floor(this.#offsetMs + this.#monotonic.monotonicMs()));
  }

  monotonicMs(): number {
    return this.#monotonic.monotonicMs();
  }

  sleep(durationMs: number): Promise<void> {
    return this.#monotonic.sleep(durationMs);
  }

  /** Takes a sample. A slow one is dropped, so the last good one ages instead. */
  async sample(): Promise<void> {
    const askedMs = this.#monotonic.monotonicMs();
    const timeMs = await this.#askMs();
    const answeredMs = this.#monotonic.monotonicMs();
    if (answeredMs - askedMs > maxTripMs) return;
    const offsetMs = timeMs - (askedMs + answeredMs) / 2;
    const stepMs = offsetMs - this.#offsetMs;
    // After a jump the new time holds only once a second sample agrees with it.
    this.#jumpedMs = Math.abs(stepMs) > maxStepMs ? stepMs : 0;
    this.#offsetMs = offsetMs;
    this.#sampledAtMs = askedMs;
  }

  /** Why this clock must not be relied on, or nothing. */
  problem(): string | undefined {
    if (this.#jumpedMs !== 0) return `the database's clock moved by ${Math.round(this.#jumpedMs)} ms`;
    if (this.#monotonic.monotonicMs() - this.#sampledAtMs > maxAgeMs) return "the database's time is not known";
    return undefined;
  }
}
