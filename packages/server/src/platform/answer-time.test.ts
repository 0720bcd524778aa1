import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTestClock } from "../testing/clock.ts";
import { answerOnTheBeat } from "./answer-time.ts";
import type { Clock } from "./clock.ts";

/** A clock whose time passes only by sleeping and by `work`. */
function steppingClock(): Clock & { work(durationMs: number): Promise<void>; elapsedMs(): number } {
  let now = 1_000_000.25;
  const started = now;
  const pass = async (durationMs: number) => {
    now += durationMs;
  };
  return { ...createTestClock(), monotonicMs: () => now, sleep: pass, work: pass, elapsedMs: () => now - started };
}

async function answeredAfterMs(gridMs: number, workMs: number): Promise<number> {
  const clock = steppingClock();
  await answerOnTheBeat(clock, gridMs, () => clock.work(workMs));
  return clock.elapsedMs();
}

describe("answering on the beat", () => {
  it("takes one beat, whatever the work took of it", async () => {
    for (const workMs of [0.125, 1, 12.5, 49.875, 50]) assert.equal(await answeredAfterMs(50, workMs), 50);
  });

  it("takes a later beat once the work takes longer, never a time in between", async () => {
    assert.equal(await answeredAfterMs(50, 50.125), 100);
    assert.equal(await answeredAfterMs(50, 99), 100);
    assert.equal(await answeredAfterMs(50, 149.5), 150);
  });

  it("answers at once when the beat is 0", async () => {
    assert.equal(await answeredAfterMs(0, 3.5), 3.5);
  });

  it("hands on what the work answered, and what it threw", async () => {
    const clock = steppingClock();
    assert.equal(await answerOnTheBeat(clock, 50, async () => "answer"), "answer");
    const failing = answerOnTheBeat(clock, 50, async () => {
      throw new Error("failed");
    });
    await assert.rejects(failing, /failed/);
  });
});
