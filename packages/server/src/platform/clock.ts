/** Time as an argument: features are handed a clock and never ask the system for the time. */
import { setTimeout as delay } from "node:timers/promises";

/** A moment as RFC 3339 text in UTC with three fraction digits, so that text order is time order. */
export type Instant = string & { readonly instant: unique symbol };

export interface Clock {
  now(): Instant;
  /** Milliseconds since some start; never goes back. */
  monotonicMs(): number;
  sleep(durationMs: number): Promise<void>;
}

export const systemClock: Clock = {
  now: () => instantFromMs(Date.now()),
  monotonicMs: () => performance.now(),
  sleep: (durationMs) => delay(durationMs),
};

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
