import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as bareTimer } from "node:timers/promises";
import { addMs, instantFromMs, instantToMs, systemClock } from "./clock.ts";

/** How many of 30 sleeps of 2.9 ms ended before their time. */
async function endedEarly(sleep: (durationMs: number) => Promise<unknown>): Promise<number> {
  let early = 0;
  for (let i = 0; i < 30; i++) {
    const startedMs = systemClock.monotonicMs();
    await sleep(2.9);
    if (systemClock.monotonicMs() - startedMs < 2.9) early++;
  }
  return early;
}

describe("the system's clock", () => {
  it("never ends a sleep early, not by the fraction of a millisecond that a beat would then tell", async () => {
    assert.equal(await endedEarly(systemClock.sleep), 0);
  });

  it("control: a bare timer drops the fraction and ends early", async () => {
    assert.ok((await endedEarly(bareTimer)) > 0);
  });

  it("ends a sleep of nothing, or of less", async () => {
    await systemClock.sleep(0);
    await systemClock.sleep(-5);
  });
});

describe("an instant", () => {
  it("is text whose order is the order of time, to the millisecond", () => {
    const times = [-1, 0, 1, 999, 1_000, Date.UTC(1999, 11, 31), Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 1) + 1];
    const instants = times.map(instantFromMs);
    assert.deepEqual(instants.toSorted(), instants);
    assert.deepEqual(instants.map(instantToMs), times);
    assert.equal(addMs(instantFromMs(0), 90_061_001), "1970-01-02T01:01:01.001Z");
  });
});
