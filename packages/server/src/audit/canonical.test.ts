import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import { type AuditRecord, canonicalJson, commitTo } from "./canonical.ts";

/** The published examples hold values that a record never does. */
const canonical = (value: unknown) => canonicalJson(value as AuditRecord);

describe("the canonical form of a record", () => {
  it("is that of RFC 8785, section 3.2.2: numbers, strings and literals", () => {
    const value = JSON.parse(`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
      "literals": [null, true, false]
    }`);
    const expected =
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}';
    assert.equal(canonical(value), expected);
  });

  it("is that of RFC 8785, section 3.2.3: properties by their UTF-16 units", () => {
    const value = JSON.parse(`{
      "\\u20ac": "Euro Sign", "\\r": "Carriage Return", "\\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One", "\\ud83d\\ude00": "Emoji: Grinning Face", "\\u0080": "Control",
      "\\u00f6": "Latin Small Letter O With Diaeresis"
    }`);
    const order = Object.values(JSON.parse(canonical(value)));
    // A parsed object puts "1" first by itself, so the text is looked at too.
    assert.match(canonical(value), /^\{"\\r":"Carriage Return","1":"One","\u0080":/);
    assert.deepEqual(order.slice(2), [
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]);
  });

  it("is that of RFC 8785, appendix B: numbers at their edges", () => {
    const numbers: [number, string][] = [
      [-0, "0"],
      [5e-324, "5e-324"],
      [1.7976931348623157e308, "1.7976931348623157e+308"],
      [9007199254740992, "9007199254740992"],
      [295147905179352830000, "295147905179352830000"],
      [9.999999999999997e22, "9.999999999999997e+22"],
      [1e23, "1e+23"],
      [999999999999999700000, "999999999999999700000"],
      [1e21, "1e+21"],
      [0.000001, "0.000001"],
      [9.999999999999997e-7, "9.999999999999997e-7"],
    ];
    for (const [number, text] of numbers) assert.equal(canonical({ number }), `{"number":${text}}`);
  });

  it("does not depend on the order in which a record was put together", () => {
    const details = { codeId: "c", failures: 3, changed: ["email", "groups"] };
    const { changed, failures, codeId } = details;
    assert.equal(canonicalJson({ changed, failures, codeId }), canonicalJson(details));
  });

  it("refuses what is not JSON rather than leaving it out", () => {
    assert.throws(() => canonical(undefined));
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => canonical({ value }));
  });
});

describe("the commitment to what is personal", () => {
  const salt = Buffer.alloc(32, 1);
  const personal = canonicalJson({ username: "jane.doe", address: "192.0.2.1" });

  it("is base64url HMAC-SHA-256 of the object under its salt", () => {
    assert.equal(commitTo(salt, personal), createHmac("sha256", salt).update(personal).digest("base64url"));
    assert.match(commitTo(salt, personal), /^[\w-]{43}$/);
  });

  it("binds to every letter of it, and tells nothing without the salt", () => {
    assert.notEqual(commitTo(salt, personal), commitTo(salt, personal.replace("jane", "jana")));
    assert.notEqual(commitTo(salt, personal), commitTo(Buffer.alloc(32, 2), personal));
  });
});
