import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkSymbol } from "./check-symbol.ts";

/** Powers of α in GF(32), from the polynomial, by a way of its own. */
const powers = Array.from({ length: 31 }, () => 1);
for (let i = 1; i < 31; i++) {
  const doubled = (powers[i - 1] as number) * 2;
  powers[i] = doubled >= 32 ? doubled ^ 0b100101 : doubled;
}
const logarithms = new Map(powers.map((element, exponent) => [element, exponent]));

function multiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return powers[((logarithms.get(a) as number) + (logarithms.get(b) as number)) % 31] as number;
}

/** Σ α^(firstExponent + i)·d_i over the symbols from the left. */
function weightedSum(symbols: readonly number[], firstExponent: number): number {
  return symbols.reduce((sum, symbol, i) => sum ^ multiply(powers[(firstExponent + i) % 31] as number, symbol), 0);
}

/** Codes without their check symbol: patterns that hide mistakes, and many that look random. */
function* codes(): Generator<number[]> {
  for (const length of [10, 13]) {
    yield Array.from({ length }, () => 0);
    yield Array.from({ length }, () => 31);
    yield Array.from({ length }, (_, i) => i);
    let state = length;
    for (let n = 0; n < 60; n++) {
      yield Array.from({ length }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state >>> 27;
      });
    }
  }
}

function isWhole(symbols: readonly number[], check = checkSymbol): boolean {
  return check(symbols.slice(0, -1)) === symbols.at(-1);
}

/** Swaps that a check does not see, as pairs of places. */
function unseenSwaps(whole: readonly number[], check = checkSymbol): [number, number][] {
  const unseen: [number, number][] = [];
  for (let i = 0; i < whole.length; i++) {
    for (let j = i + 1; j < whole.length; j++) {
      if (whole[i] === whole[j]) continue;
      const swapped = [...whole];
      swapped[i] = whole[j] as number;
      swapped[j] = whole[i] as number;
      if (isWhole(swapped, check)) unseen.push([i, j]);
    }
  }
  return unseen;
}

describe("the check symbol", () => {
  it("is the sum of α^i·d_i for i from 1, computed here by logarithms", () => {
    for (const code of codes()) assert.equal(checkSymbol(code), weightedSum(code, 1));
  });

  it("catches every single wrong symbol, its own included", () => {
    for (const code of codes()) {
      const whole = [...code, checkSymbol(code)];
      assert.ok(isWhole(whole));
      for (let place = 0; place < whole.length; place++) {
        for (let wrong = 0; wrong < 32; wrong++) {
          if (wrong === whole[place]) continue;
          const mistyped = whole.with(place, wrong);
          assert.ok(!isWhole(mistyped), `symbol ${place} as ${wrong} in ${whole} goes unseen`);
        }
      }
    }
  });

  it("catches every swap of two different symbols, neighbours or not, its own included", () => {
    for (const code of codes()) assert.deepEqual(unseenSwaps([...code, checkSymbol(code)]), []);
  });

  it("control: with weights from α^0 a swap of the first symbol and the check symbol goes unseen", () => {
    const fromZero = (symbols: readonly number[]) => weightedSum(symbols, 0);
    const unseen = [...codes()].flatMap((code) => unseenSwaps([...code, fromZero(code)], fromZero));
    assert.ok(unseen.length > 0);
    for (const [i, j] of unseen) assert.deepEqual([i, j === 10 || j === 13], [0, true]);
  });
});
