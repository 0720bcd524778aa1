/**
 * Real `sparekey-server` processes for the journeys: on loopback, in directories of their own, ended by the
 * process that started them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { KeyFile } from "@sparekey/contract";

const repository = fileURLToPath(new URL("..", import.meta.url));
const serverMain = join(repository, "packages/server/src/main.ts");
/** A start that takes longer, or a command that does not end by then, has failed. */
const patienceMs = 30_000;

export type Environment = Record<string, string>;

/** How a process ended, and all that it wrote. */
export interface Ended {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ServerProcess {
  url: string;
  pid: number;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  /** Sends a signal and resolves once the process is gone. */
  stop(signal?: "SIGTERM" | "SIGINT" | "SIGKILL"): Promise<Ended>;
}

/** A data directory as `init` makes it, with what its files hold. */
export interface Installation {
  dataDir: string;
  keyFilePath: string;
  keyFile: KeyFile;
  clientKey: string;
  rootKey: string;
  remove(): void;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Runs a script of the repository to its end. `input` goes to its standard input. */
export async function runScript(args: string[], options: { env?: Environment; input?: string } = {}): Promise<Ended> {
  const { child, ended } = start(args, options.env ?? {});
  child.stdin?.end(options.input ?? "");
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  return ended.finally(() => clearTimeout(timer));
}

/** Runs a command of `sparekey-server` to its end. */
export function runServerCommand(args: string[], env: Environment = {}): Promise<Ended> {
  return runScript([serverMain, ...args], { env });
}

/** Starts `serve` on a free port of loopback and waits until it listens. */
export async function startServer(dataDir: string, env: Environment = {}, args: string[] = []): Promise<ServerProcess> {
  const { child, ended, written } = start([serverMain, "serve", "--data-dir", dataDir, ...args], {
    SPAREKEY_PORT: "0",
    ...env,
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout?.on("data", () => {
      const listening = /^.*"addresses":\["[^"]*:(\d+)".*$/m.exec(written.stdout)?.[1];
      if (listening !== undefined) resolve(listening);
    });
    ended.then((end) => reject(new Error(`serve ended: ${JSON.stringify(end)}`)), reject);
  }).finally(() => clearTimeout(timer));
  const scheme = env.SPAREKEY_TLS_CERT_FILE === undefined ? "http" : "https";
  return {
    url: `${scheme}://localhost:${port}`,
    pid: child.pid ?? 0,
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    stop: (signal = "SIGTERM") => {
      child.kill(signal);
      return ended;
    },
  };
}

/** Runs `init` in a new directory. */
export async function createInstallation(args: string[] = [], env: Environment = {}): Promise<Installation> {
  const directory = makeDirectory();
  const dataDir = join(directory, "data");
  const { exitCode, stdout, stderr } = await runServerCommand(["init", "--data-dir", dataDir, "--json", ...args], env);
  if (exitCode !== 0) throw new Error(`init failed: ${stderr}`);
  const made = JSON.parse(stdout) as { keyFile: string; authnKeyFile: string; rootKey: string };
  return {
    dataDir,
    keyFilePath: made.keyFile,
    keyFile: JSON.parse(readFileSync(made.keyFile, "utf8")) as KeyFile,
    clientKey: readFileSync(made.authnKeyFile, "utf8").trim(),
    rootKey: readFileSync(made.rootKey, "utf8").trim(),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The same installation in another directory: much quicker than a second `init`, which makes new keys. */
export function copyInstallation(original: Installation): Installation {
  const directory = makeDirectory();
  const dataDir = join(directory, "data");
  cpSync(original.dataDir, dataDir, { recursive: true });
  return { ...original, dataDir, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

export function makeDirectory(): string {
  return mkdtempSync(join(tmpdir(), "sparekey-journey-"));
}

function start(args: string[], env: Environment) {
  const child = spawn(process.execPath, args, { env: { ...environment(), ...env }, stdio: "pipe" });
  running.add(child);
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      written[name] += text;
    });
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode, signal) => {
      running.delete(child);
      resolve({ exitCode, signal, ...written });
    });
  });
  return { child, ended, written };
}

/** Nothing of the tester's own SPAREKEY_* may reach the process, nor anything else that changes what it does. */
function environment(): Environment {
  return {
    PATH: process.env.PATH ?? "",
    TMPDIR: tmpdir(),
    // A hundred starts parse the same sources a hundred times otherwise.
    NODE_COMPILE_CACHE: join(repository, "node_modules/.cache/compile"),
  };
}
