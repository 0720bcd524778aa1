/** The import rules of .dependency-cruiser.mjs: each one can fire, and none does on the real tree. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import extractOptions from "dependency-cruiser/config-utl/extract-depcruise-options";

const root = fileURLToPath(new URL("../..", import.meta.url));
const options = { ...(await extractOptions(`${root}/.dependency-cruiser.mjs`)), baseDir: root };

async function cruiseFrom(...folders: string[]): Promise<ICruiseResult> {
  const { output } = await cruise(folders, options);
  assert(typeof output === "object");
  return output;
}

/** `file rule` for every violation, each once. */
function violations({ summary }: ICruiseResult): string[] {
  return [...new Set(summary.violations.map(({ from, rule }) => `${from} ${rule.name}`))].sort();
}

/** `file rule` for what the fixture's own comments announce: `// breaks rule, rule`. */
function announced(folder: string): string[] {
  return globSync(`${folder}/**/*.ts`, { cwd: root })
    .flatMap((file) => {
      const [, rules] = /^\/\/ breaks (.+)$/m.exec(readFileSync(`${root}/${file}`, "utf8")) ?? [];
      return rules?.split(", ").map((rule) => `${file} ${rule}`) ?? [];
    })
    .sort();
}

describe("on the fixture", async () => {
  const fixture = "test/boundaries/fixture";
  const result = await cruiseFrom(fixture);

  test("every rule fires", () => {
    const fired = new Set(result.summary.violations.map(({ rule }) => rule.name));
    assert.deepEqual([...fired].sort(), options.ruleSet?.forbidden?.map(({ name }) => name ?? "").sort());
  });

  test("rules fire where the fixture breaks them and nowhere else", () => {
    assert.deepEqual(violations(result), announced(fixture));
  });
});

describe("on the real tree", async () => {
  const result = await cruiseFrom("packages", "examples", "bench", "scripts");

  test("no rule fires", () => assert.deepEqual(violations(result), []));

  for (const [from, to] of [
    ["packages/server/src/", "packages/contract/src/index.ts"],
    ["packages/sdk/src/", "packages/contract/src/index.ts"],
    ["packages/cli/src/", "packages/sdk/src/index.ts"],
    ["packages/contract/src/", "node_modules/typebox/"],
  ] as const) {
    test(`the edge ${from} → ${to} is seen`, () => assert(hasEdge(result, from, to)));
  }
});

function hasEdge({ modules }: ICruiseResult, from: string, to: string): boolean {
  return modules.some(
    ({ source, dependencies }) =>
      source.startsWith(from) && dependencies.some(({ resolved }) => resolved.startsWith(to)),
  );
}
