import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CodeFormat } from "@sparekey/contract";
import fc from "fast-check";
import { type Random, systemRandom } from "../platform/random.ts";
import { bitsOf, generateCode, groupCode, readCode } from "./code.ts";

const formats: CodeFormat[] = [
  { alphabet: "symbols", length: 10 },
  { alphabet: "symbols", length: 13 },
  { alphabet: "digits", length: 8 },
  { alphabet: "digits", length: 9 },
  { alphabet: "digits", length: 10 },
];

/** Hands out these bytes, in order, over and over. */
function bytesInTurn(bytes: readonly number[]): Random {
  let next = 0;
  return {
    ...systemRandom,
    bytes: (length) => Buffer.from(Array.from({ length }, () => bytes[next++ % bytes.length] ?? 0)),
  };
}

const everyByte = Array.from({ length: 256 }, (_, byte) => byte);

describe("generating a code", () => {
  it("shows 10 symbols and one check symbol as 7K3M-9QZX-4TP, without I, L, O and U", () => {
    for (let i = 0; i < 200; i++) {
      const shown = groupCode(generateCode({ alphabet: "symbols", length: 10 }, systemRandom));
      assert.match(shown, /^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{3}$/);
    }
  });

  it("shows the longer forms in groups of four", () => {
    assert.match(groupCode(generateCode({ alphabet: "symbols", length: 13 }, systemRandom)), /^(\w{4}-){3}\w\w$/);
    assert.match(groupCode(generateCode({ alphabet: "digits", length: 8 }, systemRandom)), /^\d{4}-\d{4}$/);
    assert.match(groupCode(generateCode({ alphabet: "digits", length: 10 }, systemRandom)), /^\d{4}-\d{4}-\d\d$/);
  });

  it("makes every symbol of exactly eight of the 256 bytes", () => {
    const counts = new Map<string, number>();
    const random = bytesInTurn(everyByte);
    // 128 codes of 10 use up all bytes five times; the check symbol is left out of the count.
    for (let i = 0; i < 128; i++) {
      for (const symbol of generateCode({ alphabet: "symbols", length: 10 }, random).slice(0, 10)) {
        counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
      }
    }
    assert.equal(counts.size, 32);
    for (const count of counts.values()) assert.equal(count, 5 * 8);
  });

  it("throws away the bytes from 250 on, so that every digit is as likely as another", () => {
    const random = bytesInTurn([250, 251, 252, 253, 254, 255, 0, 1, 2, 3, 4, 5, 6, 7, 18, 249, 99, 99, 99, 99]);
    assert.equal(generateCode({ alphabet: "digits", length: 10 }, random), "0123456789");
    const accepted = everyByte.filter((byte) => {
      const [digit] = generateCode({ alphabet: "digits", length: 8 }, bytesInTurn([byte, ...Array(7).fill(7)]));
      return digit === String(byte % 10);
    });
    const counts = Map.groupBy(accepted, (byte) => byte % 10);
    assert.deepEqual(
      [...counts.values()].map((bytes) => bytes.length),
      Array(10).fill(25),
    );
  });

  it("control: all 256 bytes modulo ten favour the digits 0 to 5", () => {
    const counts = Map.groupBy(everyByte, (byte) => byte % 10);
    assert.equal(counts.get(5)?.length, 26);
    assert.equal(counts.get(6)?.length, 25);
  });

  it("knows how many bits of chance each form holds", () => {
    const bits = formats.map((format) => bitsOf(generateCode(format, systemRandom)));
    assert.deepEqual(bits, [50, 65, 26, 29, 33]);
  });
});

/** One code, and a way in which a person might type it. */
const typedCode = fc
  .record({
    format: fc.constantFrom(...formats),
    seed: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    spellings: fc.array(fc.record({ lower: fc.boolean(), wide: fc.boolean(), alias: fc.nat(2) }), {
      minLength: 14,
      maxLength: 14,
    }),
    separators: fc.array(
      fc.constantFrom("", "", "", " ", "-", "\u2013", "\u2212", "\u00a0", "\t", " - ", "\u3000", "\uff0d"),
      {
        minLength: 15,
        maxLength: 15,
      },
    ),
  })
  .map(({ format, seed, spellings, separators }) => {
    const code = generateCode(format, bytesInTurn([...seed, 1, 2, 3]));
    const symbols = [...code].map((symbol, i) => {
      const { lower, wide, alias } = spellings[i] as { lower: boolean; wide: boolean; alias: number };
      const misread =
        format.alphabet === "digits" ? symbol : ({ 0: ["0", "O"], 1: ["1", "I", "L"] }[symbol]?.[alias] ?? symbol);
      const cased = lower ? misread.toLowerCase() : misread;
      return wide ? String.fromCodePoint((cased.codePointAt(0) as number) + 0xfee0) : cased;
    });
    return { code, typed: separators[14] + symbols.map((symbol, i) => symbol + separators[i]).join("") };
  });

describe("reading a code", () => {
  it("takes every spelling of a code as that code: case, spaces, hyphens, I, L and O, full width", () => {
    fc.assert(
      fc.property(typedCode, ({ code, typed }) => {
        assert.equal(readCode(typed), code);
      }),
      { numRuns: 1_000 },
    );
  });

  it("takes what groupCode shows", () => {
    for (const format of formats) {
      const code = generateCode(format, systemRandom);
      assert.equal(readCode(groupCode(code)), code);
    }
  });

  it("takes every single mistyped symbol, and every swap of neighbours, as a slip of the hand", () => {
    const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for (const length of [10, 13] as const) {
      const code = [...generateCode({ alphabet: "symbols", length }, systemRandom)];
      for (let place = 0; place < code.length; place++) {
        for (const wrong of alphabet) {
          if (wrong !== code[place]) assert.equal(readCode(code.with(place, wrong).join("")), undefined);
        }
        const swapped = [...code.slice(0, place), code[place + 1], code[place], ...code.slice(place + 2)].join("");
        if (swapped !== code.join("")) assert.equal(readCode(swapped), undefined);
      }
    }
  });

  it("takes a length that no code has, and symbols that no code has, as a slip of the hand", () => {
    const slips = [
      "",
      "-",
      "1234567",
      "12345678901234567",
      "7K3M",
      "UUUUUUUUUUU",
      "0000000000*",
      "١٢٣٤٥٦٧٨",
      "0000000000\u0000",
    ];
    for (const typed of slips) assert.equal(readCode(typed), undefined, JSON.stringify(typed));
  });

  it("answers any text with a code in its one spelling, or undefined", () => {
    const anything = fc.array(fc.nat(0x10ffff), { maxLength: 16 }).map((points) => String.fromCodePoint(...points));
    const nearly = fc.string({ unit: fc.constantFrom(..."0O1IL-7K "), maxLength: 16 });
    const property = fc.property(fc.oneof(anything, nearly), (typed) => {
      const code = readCode(typed);
      if (code === undefined) return;
      assert.match(code, /^[0-9A-HJKMNP-TV-Z]{11}$|^[0-9A-HJKMNP-TV-Z]{14}$|^[0-9]{8,10}$/);
      assert.equal(readCode(code), code);
    });
    fc.assert(property, { numRuns: 500 });
  });
});
