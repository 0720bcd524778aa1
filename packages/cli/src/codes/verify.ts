import { connectToVerify, type GlobalOptions } from "../connection.ts";
import { exitCodes } from "../exit-codes.ts";
import { printable } from "../printable.ts";
import { paint, print, printJson } from "../terminal.ts";
import { readCode } from "./read-code.ts";

export async function verifyCode(user: string, options: GlobalOptions & { authnKey?: string }): Promise<void> {
  const client = connectToVerify(options);
  const code = await readCode(printable(user));
  const { accepted } = await client.verify({ user, code });
  if (options.json) printJson({ accepted });
  else print(accepted ? paint("green", "accepted") : paint("red", "refused"));
  if (!accepted) process.exitCode = exitCodes.refused.number;
}
