import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { foldLoginName } from "./login-name.ts";

/** Every character that has a case or another form, and the others near it, each alone between two letters. */
function* names(): Generator<string> {
  // Above these two planes there is nothing but ideographs and their compatibility forms.
  for (let point = 0; point <= 0x2fa1f; point++) {
    const ideograph = (point >= 0x4e00 && point <= 0x9fff) || (point >= 0x20000 && point <= 0x2f7ff);
    const surrogate = point >= 0xd800 && point <= 0xdfff;
    if (!(ideograph || surrogate)) yield `a${String.fromCodePoint(point)}b`;
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
