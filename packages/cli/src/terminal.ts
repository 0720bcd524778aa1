/** The two streams: answers on stdout, everything about the work itself on stderr. */
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Colours text for stdout, if that is a terminal and NO_COLOR does not object. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

function paintStderr(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stderr });
}

export function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** JSON for programs: one document, indented. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

export function printError(message: string, hint?: string): void {
  process.stderr.write(`${paintStderr("red", "error:")} ${message}\n`);
  if (hint) printHint(hint);
}

export function printWarning(message: string, hint?: string): void {
  process.stderr.write(`${paintStderr("yellow", "warning:")} ${message}\n`);
  if (hint) printHint(hint);
}

function printHint(hint: string): void {
  process.stderr.write(`${paintStderr("dim", "hint:")} ${hint}\n`);
}
