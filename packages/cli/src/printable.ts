/** Text from a server or a file, made safe and fit for a terminal. Pure. */

// Control characters move the cursor and set colours; direction marks make a line read as another one.
const unsafe = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;

/** Replaces what a terminal would act on instead of showing it. */
export function printable(text: string): string {
  return text.replace(unsafe, "\uFFFD");
}

/** A server's sentence in this program's manner: first word in lower case, no full stop. */
export function describe(sentence: string): string {
  const text = printable(sentence).replace(/\.$/, "");
  // `URL` and `X-ray` keep their capital.
  return /^[A-Z][a-z ]/.test(text) ? text[0]?.toLowerCase() + text.slice(1) : text;
}

/** Lines of a label and a value, the values in one column. Undefined values are left out. */
export function table(rows: readonly (readonly [label: string, value: string | undefined])[], indent = ""): string {
  const shown = rows.filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...shown.map(([label]) => label.length));
  return shown.map(([label, value]) => `${indent}${label.padEnd(width)}  ${value}\n`).join("");
}
