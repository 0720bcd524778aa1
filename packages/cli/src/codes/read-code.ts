import { createInterface } from "node:readline";
import { isCancel, password } from "@clack/prompts";
import { CliError } from "../cli-error.ts";
import { exitCodes } from "../exit-codes.ts";

/** Asks for a code without showing it, or reads the first line of stdin when that is no terminal. */
export async function readCode(user: string): Promise<string> {
  const code = process.stdin.isTTY ? await ask(user) : await readFirstLine();
  if (code.trim() === "") throw new CliError("no code given", { hint: "type it at the prompt, or send it to stdin" });
  return code.trim();
}

async function ask(user: string): Promise<string> {
  // Control-D closes the input, the prompt never answers, and the process ends by itself: not with success.
  process.exitCode = exitCodes.interrupted.number;
  const answer = await password({ message: `emergency code of ${user}`, output: process.stderr, withGuide: false });
  process.exitCode = undefined;
  if (isCancel(answer)) throw new CliError("interrupted", { exit: "interrupted" });
  return answer;
}

async function readFirstLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) return line;
  return "";
}
