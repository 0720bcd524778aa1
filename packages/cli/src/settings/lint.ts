import type { SettingsFinding } from "@sparekey/sdk";
import { connect, type GlobalOptions } from "../connection.ts";
import { exitCodes } from "../exit-codes.ts";
import { printable } from "../printable.ts";
import { paint, print, printJson } from "../terminal.ts";
import { readAssignment } from "./dotted-keys.ts";

export async function lintSettings(options: GlobalOptions): Promise<void> {
  const lint = await connect(options).settings.lint();
  if (options.json) printJson(lint);
  else print(lint.findings.length === 0 ? "no findings" : lint.findings.map(describeFinding).join("\n"));
  if (lint.findings.length > 0) process.exitCode = exitCodes.refused.number;
}

function describeFinding({ standard, clause, setting, message, remedy }: SettingsFinding): string {
  const title = paint("bold", printable(`${standard}, ${clause}: ${setting}`));
  return `${title}\n  ${printable(message)}\n  remedy: ${printable(describeRemedy(remedy))}\n`;
}

/** Assignments become the command that makes them. */
function describeRemedy(remedy: string): string {
  return remedy.split(" ").every((word) => readAssignment(word)) ? `sparekey settings set ${remedy}` : remedy;
}
