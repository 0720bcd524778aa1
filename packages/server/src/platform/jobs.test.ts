import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startJobs } from "./jobs.ts";
import { createLog } from "./log.ts";

/** A promise and the function that resolves it. */
const gate = () => Promise.withResolvers<void>();

describe("jobs", () => {
  it("run again after a failure, which is logged with the job's name", async () => {
    const lines: string[] = [];
    const log = createLog("error", { write: (line) => void lines.push(line) });
    const third = gate();
    let turns = 0;
    const run = async () => {
      turns++;
      if (turns === 3) third.resolve();
      if (turns < 3) throw new Error("no luck");
    };
    const stop = startJobs([{ name: "fragile", everyMs: 1, run }], log);
    const stayAlive = setInterval(() => {}, 1_000);
    await third.promise;
    clearInterval(stayAlive);
    await stop();
    assert.equal(lines.length, 2);
    for (const line of lines) assert.match(line, /"job":"fragile".*job failed|no luck.*fragile/);
  });

  it("never run twice at once, and are waited for when they are stopped", async () => {
    const [begun, end] = [gate(), gate()];
    let running = 0;
    let most = 0;
    let finished = false;
    const run = async () => {
      running++;
      most = Math.max(most, running);
      begun.resolve();
      await end.promise;
      running--;
      finished = true;
    };
    const stop = startJobs([{ name: "slow", everyMs: 1, run }], createLog("silent"));
    const stayAlive = setInterval(() => {}, 1_000);
    await begun.promise;
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 2));
    clearInterval(stayAlive);
    const stopped = stop();
    end.resolve();
    await stopped;
    assert.deepEqual({ most, finished, running }, { most: 1, finished: true, running: 0 });
  });
});
