/** Runs the program as a shell would, in a folder of its own, against a fake server. */
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type FakeRoutes, type FakeServer, startFakeServer } from "./fake-server.ts";

const main = join(import.meta.dirname, "..", "main.ts");
const accessKey = generateKeyPairSync("rsa", { modulusLength: 2048 })
  .privateKey.export({ type: "pkcs1", format: "pem" })
  .toString();

export const accessId = "0b3ad6c6-7f55-4f1b-9b3b-6f2f8a5f3c11";
export const clientKey = "k".repeat(64);

export interface CliRun {
  stdout: string;
  stderr: string;
  exitCode: number | null;
}

export interface RunOptions {
  stdin?: string;
  env?: Record<string, string>;
}

export interface Bench extends AsyncDisposable {
  server: FakeServer;
  /** Runs `sparekey` with these arguments. */
  run(args: string[], options?: RunOptions): Promise<CliRun>;
  /** Writes a file into the folder that commands run in. */
  write(name: string, text: string, mode?: number): void;
}

/** A fake server, and a folder whose ./data holds the two keys for it. */
export async function openBench(routes: FakeRoutes): Promise<Bench> {
  const server = await startFakeServer(routes);
  const folder = mkdtempSync(join(tmpdir(), "sparekey-cli-"));
  const write = (name: string, text: string, mode = 0o600) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text, { mode });
  };
  write(`data/${accessId}.key`, keyFileText(server.url));
  write("data/authn-api.key", `${clientKey}\n`);
  return {
    server,
    write,
    run: (args, options) => runCli(folder, args, options),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

export function keyFileText(serverUrl: string): string {
  const adminRestApiUrl = `${serverUrl}/AdminInterface/restapi/`;
  return JSON.stringify({ customerName: "Example Ltd", accessID: accessId, accessKey, adminRestApiUrl });
}

function runCli(cwd: string, args: string[], { stdin = "", env = {} }: RunOptions = {}): Promise<CliRun> {
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, [main, ...args], { cwd, env: { PATH, TZ: "Europe/Berlin", ...env } });
  const run: CliRun = { stdout: "", stderr: "", exitCode: null };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    run.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    run.stderr += text;
  });
  // A command that does not read stdin may be gone before it is written.
  child.stdin.on("error", () => {});
  child.stdin.end(stdin);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ ...run, exitCode }));
  });
}
