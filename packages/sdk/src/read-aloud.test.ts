import assert from "node:assert/strict";
import { test } from "node:test";
import { groupCode, readAloud } from "./read-aloud.ts";

test("codes of every length fall into groups of three or four", () => {
  const grouped: Record<string, string> = {
    "7k3m9qzx4tp": "7K3M-9QZX-4TP",
    ABCDEFGHJKMNPQ: "ABCD-EFGH-JKM-NPQ",
    "12345678": "1234-5678",
    "123456789": "123-456-789",
    "1234567890": "1234-567-890",
    "": "",
    A: "A",
  };
  for (const [code, expected] of Object.entries(grouped)) assert.equal(groupCode(code), expected);
});

test("groups that are there are kept", () => {
  assert.equal(groupCode("7K3M-9QZX-4TP"), "7K3M-9QZX-4TP");
  assert.equal(groupCode(" 12 34  5678 "), "12-34-5678");
});

test("a code is read in NATO words and English digits, with a comma between groups", () => {
  const expected = "seven · Kilo · three · Mike, nine · Quebec · Zulu · X-ray, four · Tango · Papa";
  assert.equal(readAloud("7K3M-9QZX-4TP"), expected);
  assert.equal(readAloud("7k3m9qzx4tp"), expected);
  assert.equal(readAloud("0123-4567"), "zero · one · two · three, four · five · six · seven");
});

test("each letter and digit has a word of its own", () => {
  const symbols = [..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const words = symbols.map(readAloud);
  assert.equal(new Set(words).size, symbols.length);
  for (const [index, word] of words.entries()) assert.ok(word.length > 1, `${symbols[index]} has no word`);
});
