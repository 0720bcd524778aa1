import assert from "node:assert/strict";
import { it } from "node:test";
import { CommandError } from "./command-error.ts";
import { readOverlap } from "./keys-rotate.ts";

it("an overlap is a number with its unit, or 0, and no longer than a code may live", () => {
  const hourMs = 60 * 60_000;
  const right: [string, number][] = [
    ["0", 0],
    ["90s", 90_000],
    ["15m", 900_000],
    ["2h", 2 * hourMs],
    ["7d", 7 * 24 * hourMs],
  ];
  for (const [text, overlapMs] of right) assert.equal(readOverlap(text), overlapMs, text);
  for (const text of ["", "2", "00", "1w", "8d", "169h", "-1h", "1.5h", "soon", "2 h", "7D"]) {
    assert.throws(() => readOverlap(text), CommandError, text);
  }
});
