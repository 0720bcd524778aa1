import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { foldLoginName } from "./login-name.ts";

/** Every character that a name can hold, alone between two letters. */
function* names(): Generator<string> {
  for (let point = 0; point <= 0x10ffff; point++) {
    if (point < 0xd800 || point > 0xdfff) yield `a${String.fromCodePoint(point)}b`;
  }
}

const same: [string, string][] = [
  ["jane.doe", "Jane.Doe"],
  ["jane.doe", "  JANE.DOE\t"],
  ["jane.doe", "\u00a0jane.doe\u3000"],
  ["jane.doe", "ｊａｎｅ．ｄｏｅ"],
  ["jane.doe@example.com", "JANE.DOE＠EXAMPLE.COM"],
  ["renée", "rene\u0301e"],
  ["strasse", "Straße"],
  ["STRAẞE", "straße"],
  ["ΣΊΣΥΦΟΣ.Α", "σίσυφος.α"],
  ["ΑΣ", "ας"],
  ["ﬁnn", "FINN"],
];

describe("a login name", () => {
  for (const [one, other] of same) {
    it(`is the same as ${JSON.stringify(one)} when it is typed ${JSON.stringify(other)}`, () => {
      assert.equal(foldLoginName(one), foldLoginName(other));
    });
  }

  it("stays another one when a letter is another", () => {
    assert.notEqual(foldLoginName("jane.doe"), foldLoginName("jane.dοe"), "a Greek omicron");
    assert.notEqual(foldLoginName("jane.doe"), foldLoginName("janedoe"));
    assert.notEqual(foldLoginName("renée"), foldLoginName("renee"));
  });

  it("is the same in capitals, in small letters and folded once more, whatever character it holds", () => {
    for (const name of names()) {
      const folded = foldLoginName(name);
      if (foldLoginName(folded) !== folded) assert.fail(`${JSON.stringify(name)} folds twice`);
      for (const spelling of [name.toUpperCase(), name.toLowerCase(), name.normalize("NFD")]) {
        if (foldLoginName(spelling) !== folded)
          assert.fail(`${JSON.stringify(name)} and ${JSON.stringify(spelling)} differ`);
      }
    }
  });
});
