import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, printable, table } from "./printable.ts";

test("what a terminal acts on is replaced, and what people write is kept", () => {
  assert.equal(
    printable("a\u001B[2Jb\r\nc\u0007d\u009Be\u202Ef\u2066g"),
    "a\uFFFD[2Jb\uFFFD\uFFFDc\uFFFDd\uFFFDe\uFFFDf\uFFFDg",
  );
  const kept = "Zoë Łuczak 王 عمر 👩‍💻 – “x”";
  assert.equal(printable(kept), kept);
});

test("a sentence loses its full stop and its capital, unless that belongs to the word", () => {
  assert.equal(describe("No such user."), "no such user");
  assert.equal(describe("A token is bad."), "a token is bad");
  assert.equal(describe("URL is bad"), "URL is bad");
  assert.equal(describe(""), "");
});

test("a table leaves out what is not there", () => {
  assert.equal(
    table(
      [
        ["a", "1"],
        ["long", undefined],
        ["bcd", "2"],
      ],
      "  ",
    ),
    "  a    1\n  bcd  2\n",
  );
  assert.equal(table([]), "");
});
