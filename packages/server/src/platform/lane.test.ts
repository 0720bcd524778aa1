import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Lane } from "./lane.ts";
import { Refusal } from "./refusal.ts";

/** Work that ends when it is told to. */
function heldWork() {
  let begun = 0;
  const ends: (() => void)[] = [];
  return {
    begun: () => begun,
    endOne: () => ends.shift()?.(),
    run: () => {
      begun++;
      return new Promise<void>((resolve) => ends.push(resolve));
    },
  };
}

test("as many run as may, as many wait as may, and the next is refused", async () => {
  const lane = new Lane({ atOnce: 2, waiting: 3 });
  const work = heldWork();
  const admitted = Array.from({ length: 5 }, () => lane.run(work.run));
  await assert.rejects(lane.run(work.run), (error) => error instanceof Refusal && error.code === "unavailable");
  assert.deepEqual([work.begun(), lane.running, lane.waiting], [2, 2, 3]);
  for (let ended = 1; ended <= 5; ended++) {
    work.endOne();
    await delay(20);
    assert.equal(work.begun(), Math.min(5, 2 + ended));
  }
  await Promise.all(admitted);
  assert.deepEqual([lane.running, lane.waiting], [0, 0]);
});

test("work that fails gives its place back", async () => {
  const lane = new Lane({ atOnce: 1, waiting: 1 });
  await assert.rejects(
    lane.run(() => Promise.reject(new Error("broken"))),
    /broken/,
  );
  await delay(20);
  assert.equal(await lane.run(async () => "done"), "done");
});

test("a place that rests is empty for as long as it was taken", async () => {
  const lane = new Lane({ atOnce: 1, waiting: 1, rests: true });
  const startedMs = performance.now();
  await lane.run(() => delay(50));
  await lane.run(async () => {});
  assert.ok(performance.now() - startedMs > 95);
});

test("who waits too long is refused, and takes no place", async () => {
  const lane = new Lane({ atOnce: 1, waiting: 1 });
  const work = heldWork();
  const first = lane.run(work.run);
  await assert.rejects(lane.run(work.run), Refusal);
  assert.equal(lane.waiting, 0);
  work.endOne();
  await first;
  await delay(20);
  assert.equal(lane.running, 0);
});
