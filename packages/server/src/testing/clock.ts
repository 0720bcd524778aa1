import { addMs, type Clock, type Instant, instantFromMs } from "../platform/clock.ts";

/** A clock that stands still until a test moves it. Nobody ever waits on it. */
export interface TestClock extends Clock {
  advance(durationMs: number): void;
}

export function createTestClock(startedAt: Instant = instantFromMs(Date.UTC(2026, 0, 1, 12))): TestClock {
  let now = startedAt;
  return {
    now: () => now,
    monotonicMs: () => performance.now(),
    sleep: async () => {},
    advance: (durationMs) => {
      now = addMs(now, durationMs);
    },
  };
}
