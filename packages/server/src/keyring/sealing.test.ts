import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemRandom } from "../platform/random.ts";
import { generateRootKey, open, parseRootKey, seal } from "./sealing.ts";

const key = Buffer.alloc(32, 1);
const plain = Buffer.from("what is hidden");

describe("sealing", () => {
  it("opens with the key and the context that it was sealed with, and with no others", () => {
    const sealed = seal(key, "row 1", plain, systemRandom);
    assert.deepEqual(open(key, "row 1", sealed), plain);
    assert.throws(() => open(key, "row 2", sealed));
    assert.throws(() => open(key, "", sealed));
    assert.throws(() => open(Buffer.alloc(32, 2), "row 1", sealed));
  });

  it("notices every changed bit, and every length it was cut to", () => {
    const sealed = Buffer.from(seal(key, "row 1", plain, systemRandom), "base64url");
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => open(key, "row 1", changed.toString("base64url")), `bit ${bit}`);
    }
    for (let length = 0; length < sealed.length; length++) {
      assert.throws(() => open(key, "row 1", sealed.subarray(0, length).toString("base64url")), `length ${length}`);
    }
  });

  it("never seals the same bytes to the same text twice", () => {
    const texts = Array.from({ length: 100 }, () => seal(key, "row 1", plain, systemRandom));
    assert.equal(new Set(texts).size, 100);
  });

  it("hides bytes of any length, none included", () => {
    for (const length of [0, 1, 32, 10_000]) {
      const bytes = systemRandom.bytes(length);
      assert.deepEqual(open(key, "row 1", seal(key, "row 1", bytes, systemRandom)), bytes);
    }
  });
});

describe("a root key", () => {
  it("is 32 bytes as base64, with the line end that an editor adds", () => {
    const text = generateRootKey(systemRandom);
    assert.equal(parseRootKey(`${text}\n`)?.length, 32);
    assert.notEqual(generateRootKey(systemRandom), text);
  });

  it("is nothing else: not shorter, longer, hex, base64url or a sentence", () => {
    const wrong = ["", "x", Buffer.alloc(31).toString("base64"), Buffer.alloc(33).toString("base64"), "0".repeat(64)];
    wrong.push(Buffer.alloc(32, 255).toString("base64url"), `${Buffer.alloc(32).toString("base64")} and more`);
    for (const text of wrong) assert.equal(parseRootKey(text), undefined, text);
  });
});
