import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

test("no source file imports Node's own modules: browsers have none", () => {
  const sources = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  assert.ok(sources.length > 10);
  for (const name of sources) {
    assert.doesNotMatch(
      readFileSync(`${import.meta.dirname}/${name}`, "utf8"),
      /from "node:|\b(process|Buffer)\b\./,
      name,
    );
  }
});
