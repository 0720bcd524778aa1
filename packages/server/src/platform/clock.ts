/** Time as an argument: features are handed a clock and never ask the system for the time. */
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";

/** A moment as RFC 3339 text in UTC with three fraction digits, so that text order is time order. */
export type Instant = string & { readonly instant: unique symbol };

export interface Clock {
  now(): Instant;
  /** Milliseconds since some start; never goes back. */
  monotonicMs(): number;
  /** Never ends early, not by the fraction of a millisecond. */
  sleep(durationMs: number): Promise<void>;
}

export const systemClock: Clock = {
  now: () => instantFromMs(Date.now()),
  monotonicMs: () => performance.now(),
  sleep: sleepExactly,
};

/**
 * Sleeps by a timer until shortly before the end, then turn by turn of the event loop.
 *
 * A timer alone drops the fraction of a millisecond and fires on whole ones of its own clock. Who sleeps
 * until a beat would then wake up earlier the quicker the work before it was, by just that difference.
 */
async function sleepExactly(durationMs: number): Promise<void> {
  const endMs = performance.now() + durationMs;
  const wholeMs = Math.floor(durationMs) - 1;
  if (wholeMs > 0) await delay(wholeMs);
  while (performance.now() < endMs) await nextTurn();
}

/** Milliseconds since 1970 as an instant. */
export function instantFromMs(epochMs: number): Instant {
  return new Date(epochMs).toISOString() as Instant;
}

/** An instant as milliseconds since 1970. */
export function instantToMs(instant: Instant): number {
  return Date.parse(instant);
}

export function addMs(instant: Instant, durationMs: number): Instant {
  return instantFromMs(instantToMs(instant) + durationMs);
}
