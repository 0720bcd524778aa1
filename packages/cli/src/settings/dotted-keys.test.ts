import assert from "node:assert/strict";
import { test } from "node:test";
import { assign, describeChanges, flatten, readAssignment } from "./dotted-keys.ts";

test("a value is JSON when it can be, else text", () => {
  const values: [string, unknown][] = [
    ["true", true],
    ["10", 10],
    ["days", "days"],
    ['"days"', "days"],
    ["[]", []],
    ["", ""],
    ["a=b", "a=b"],
  ];
  for (const [text, value] of values) assert.deepEqual(readAssignment(`key=${text}`), { key: "key", value });
  for (const text of ["key", "=value", ""]) assert.equal(readAssignment(text), undefined);
});

test("assign leaves the original alone", () => {
  const tree = { a: { b: 1, c: 2 } };
  assert.deepEqual(assign(tree, "a.b", 5), { a: { b: 5, c: 2 } });
  assert.deepEqual(assign(tree, "a", []), { a: [] });
  assert.deepEqual(tree, { a: { b: 1, c: 2 } });
});

test("flatten and describeChanges keep the order of the document", () => {
  assert.deepEqual(flatten({ z: 1, a: { c: [1], b: "x" } }), [
    ["z", 1],
    ["a.c", [1]],
    ["a.b", "x"],
  ]);
  assert.deepEqual(describeChanges({ a: { b: 1, c: 2 } }, { a: { b: 1, c: 3, d: "new" } }), [
    "a.c: 2 → 3",
    "a.d:  → new",
  ]);
});
