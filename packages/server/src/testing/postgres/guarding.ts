/** Tells the guard, one for each process that starts servers, what to clean up after us. */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import type { GuardedServer } from "./guard.ts";

let guard: ChildProcess | undefined;

export function tellGuard(server: GuardedServer) {
  guard ??= startGuard();
  guard.stdin?.write(`${JSON.stringify(server)}\n`);
}

function startGuard(): ChildProcess {
  const child = spawn(process.execPath, [fileURLToPath(new URL("guard.ts", import.meta.url))], {
    // Out of reach of a Ctrl-C, which goes to everybody in the terminal's process group.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: { PATH: process.env.PATH ?? "" },
  });
  // It waits for us; we do not wait for it.
  child.unref();
  (child.stdin as Socket).unref();
  return child;
}
