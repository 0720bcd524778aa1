import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Clock } from "../platform/clock.ts";
import { DatabaseUnavailable } from "../platform/database/database.ts";
import { startCore, type TestCore } from "../testing/core.ts";
import { LeaseOver, leaseMs, RevisionService } from "./service.ts";

describe("the lease on a revision", () => {
  let core: TestCore;
  let nowMs: number;
  let slept: number[];
  let here: RevisionService;
  let elsewhere: RevisionService;

  before(async () => {
    core = await startCore();
  });
  after(() => core.close());
  beforeEach(() => {
    nowMs = 0;
    slept = [];
    here = node(true);
    elsewhere = node(true);
  });

  function node(others: boolean, db = core.db) {
    const sleep = async (durationMs: number) => {
      slept.push(durationMs);
    };
    const clock: Clock = { ...core.clock, monotonicMs: () => nowMs, sleep };
    return new RevisionService({ db, companyId: core.company.id, clock, others });
  }
  const change = () => core.db.write((trx) => elsewhere.raise(trx));

  it("holds for less than a second, and then shows what was changed elsewhere", async () => {
    const before = await here.current();
    await change();
    nowMs = 399;
    assert.equal(await here.current(), before);
    nowMs = leaseMs;
    assert.equal(await here.current(), before + 1);
  });

  it("is waited out by whoever changes something, unless nobody else can hold one", async () => {
    await change();
    await elsewhere.settle();
    assert.ok((slept[0] ?? 0) > leaseMs);
    await node(false).settle();
    assert.equal(slept.length, 1);
  });

  it("is counted from before the question, however late the answer comes", async () => {
    const slow = node(true, {
      ...core.db,
      get read() {
        nowMs += 300;
        return core.db.read;
      },
    });
    await slow.current();
    assert.equal(slow.ageMs(), 300);
  });

  it("decides nothing once it is over: what was under way is begun again with what holds now", async () => {
    const before = await here.current();
    const seen: number[] = [];
    const answer = await here.underLease(async () => {
      if (seen.length === 0) {
        await change();
        nowMs += leaseMs;
      }
      seen.push(before);
      return here.held();
    });
    assert.deepEqual([answer, seen.length], [before + 1, 2]);
  });

  it("is not tried for ever, and neither answered without", async () => {
    await here.current();
    const work = async () => {
      nowMs += leaseMs;
      return here.held();
    };
    await assert.rejects(here.underLease(work), LeaseOver);
    const lost = node(true, {
      ...core.db,
      get read(): never {
        throw new DatabaseUnavailable("gone");
      },
    });
    await assert.rejects(lost.current(), DatabaseUnavailable);
    assert.throws(() => lost.held(), LeaseOver);
  });
});
