/** SPAREKEY_ROOT_KEY_COMMAND: a command line that prints the root key, for a KMS or a vault. */
import { type ChildProcess, spawn } from "node:child_process";
import { CommandError } from "./command-error.ts";

const usualTimeoutMs = 30_000;
/** More than a key is long, and than anybody wants to read of an error. */
const mostKept = 10_000;

/**
 * Answers what the command line wrote on standard output. That is never shown, not in an error either: it may be
 * the key. What it wrote on standard error is.
 */
export async function runRootKeyCommand(command: string, timeoutMs = usualTimeoutMs): Promise<string> {
  // A process group of its own, so that a timeout also ends what the shell has started.
  const child = spawn("/bin/sh", ["-c", command], { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      written[name] = (written[name] + text).slice(0, mostKept);
    });
  }
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child);
  }, timeoutMs);
  const end = await endOf(child).finally(() => clearTimeout(timer));
  if (end === "exit code 0") return written.stdout;
  throw failed(timedOut ? `it took longer than ${timeoutMs / 1_000} s` : end, written.stderr);
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (exitCode, signal) => resolve(signal === null ? `exit code ${exitCode}` : signal));
  });
}

function killGroup({ pid }: ChildProcess) {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

function failed(how: string, stderr: string): CommandError {
  const said = stderr.trim();
  return new CommandError(`SPAREKEY_ROOT_KEY_COMMAND failed: ${how}${said && `\n${said.replaceAll(/^/gm, "  ")}`}`, {
    hint: "run the command line by hand, as the user that runs sparekey-server: it must print the root key and nothing else",
    exitCode: 4,
  });
}
