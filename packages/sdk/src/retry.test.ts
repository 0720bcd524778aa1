import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs, readRetryAfterMs, withJitter } from "./retry.ts";

const now = Date.parse("2026-01-02T03:04:05Z");
const read = (headers: Record<string, string>) => readRetryAfterMs(new Headers(headers), now);

test("Retry-After is read as seconds and as a date", () => {
  assert.equal(read({ "retry-after": "7" }), 7_000);
  assert.equal(read({ "retry-after": "0" }), 0);
  assert.equal(read({ "retry-after": "Fri, 02 Jan 2026 03:04:35 GMT" }), 30_000);
});

test("a date in Retry-After is measured against the answer's own Date", () => {
  assert.equal(read({ "retry-after": "Fri, 02 Jan 2026 05:00:10 GMT", date: "Fri, 02 Jan 2026 05:00:00 GMT" }), 10_000);
});

test("a date that is past waits no time, and nonsense counts as absent", () => {
  assert.equal(read({ "retry-after": "Fri, 02 Jan 2026 03:00:00 GMT" }), 0);
  for (const value of ["", "soon", "-x"]) assert.equal(read({ "retry-after": value }), undefined);
  assert.equal(read({}), undefined);
});

test("jitter only ever adds, at most a second", () => {
  for (const waitMs of [0, 500, 60_000]) {
    assert.equal(
      withJitter(waitMs, () => 0),
      waitMs,
    );
    const most = withJitter(waitMs, () => 0.999);
    assert.ok(most > waitMs && most <= waitMs + 1_000);
  }
});

test("without a word from the server the wait doubles", () => {
  assert.deepEqual([0, 1, 2, 3].map(backoffMs), [500, 1_000, 2_000, 4_000]);
});
