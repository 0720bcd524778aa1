/** Settings as lines of a dotted key and a value, and back. Pure. */

type Tree = Record<string, unknown>;

/** Every setting with its dotted key, in the order of the document. Lists are values, not trees. */
export function flatten(tree: Tree, prefix = ""): [key: string, value: unknown][] {
  return Object.entries(tree).flatMap(([name, value]): [string, unknown][] => {
    const key = prefix + name;
    return isTree(value) ? flatten(value, `${key}.`) : [[key, value]];
  });
}

/** `KEY=VALUE`; undefined without an equals sign. The value is JSON if it can be, else a string. */
export function readAssignment(text: string): { key: string; value: unknown } | undefined {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  return key === undefined || value === undefined ? undefined : { key, value: readValue(value) };
}

/** The tree with one value replaced; undefined when it has no such key. A new key is a slip, not a new setting. */
export function assign(tree: Tree, key: string, value: unknown): Tree | undefined {
  const [name = "", ...rest] = key.split(".");
  if (!Object.hasOwn(tree, name)) return undefined;
  if (rest.length === 0) return { ...tree, [name]: value };
  const branch = tree[name];
  const changed = isTree(branch) ? assign(branch, rest.join("."), value) : undefined;
  return changed && { ...tree, [name]: changed };
}

/** A value as `readAssignment` takes it. */
export function showValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What differs, one line each: `lockout.tries: 10 → 5`. */
export function describeChanges(before: Tree, after: Tree): string[] {
  const old = new Map(flatten(before).map(([key, value]) => [key, showValue(value)]));
  return flatten(after)
    .map(([key, value]) => ({ key, from: old.get(key) ?? "", to: showValue(value) }))
    .filter(({ from, to }) => from !== to)
    .map(({ key, from, to }) => `${key}: ${from} → ${to}`);
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
