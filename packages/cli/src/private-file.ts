import { readFileSync, statSync } from "node:fs";
import { CliError } from "./cli-error.ts";
import { printWarning } from "./terminal.ts";

/** Reads a file that holds a secret; warns when others on this machine can read it too. */
export function readPrivateFile(path: string, what: string): string {
  try {
    const text = readFileSync(path, "utf8");
    // Windows keeps its permissions elsewhere; the mode there means nothing.
    const openToOthers = process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0;
    if (openToOthers) printWarning(`others on this machine can open ${path}`, `chmod 600 ${path}`);
    return text;
  } catch (error) {
    throw CliError.unreadable(`the ${what} ${path}`, error);
  }
}
