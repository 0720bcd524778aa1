/** A Sparekey of its own for an example: a new company in a temporary directory, removed when it stops. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const program = join(import.meta.dirname, "../packages/server/src/main.ts");

export interface ThrowawayServer {
  url: string;
  dataDir: string;
  /** Path of the first Super Administrator's key file. */
  keyFile: string;
  /** Path of the first Authentication API key. */
  authnKeyFile: string;
  stop(): Promise<void>;
}

/** Runs `sparekey-server init` and `serve`, and answers once the server is ready. */
export async function startThrowawayServer(company: string): Promise<ThrowawayServer> {
  const home = mkdtempSync(join(tmpdir(), "sparekey-quickstart-"));
  const dataDir = join(home, "data");
  const port = await freePort(8080);
  const url = `http://localhost:${port}`;
  const init = [program, "init", "--data-dir", dataDir, "--company", company, "--public-url", url, "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, init);
  const { keyFile, authnKeyFile } = JSON.parse(stdout) as { keyFile: string; authnKeyFile: string };

  const logFile = join(home, "server.log");
  const log = openSync(logFile, "w");
  const server = spawn(process.execPath, [program, "serve", "--data-dir", dataDir, "--port", String(port)], {
    stdio: ["ignore", log, log],
  });
  const stop = async () => {
    if (server.exitCode === null) {
      server.kill("SIGTERM");
      await once(server, "exit");
    }
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await untilReady(url, server, logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, dataDir, keyFile, authnKeyFile, stop };
}

async function untilReady(url: string, server: ChildProcess, logFile: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (server.exitCode !== null) break;
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok) return;
    await delay(50);
  }
  throw new Error(`the server did not become ready:\n${readFileSync(logFile, "utf8")}`);
}

/** The wanted port if it is free, or else any that is. */
async function freePort(wanted: number): Promise<number> {
  const probe = createServer();
  const listening = (port: number) =>
    new Promise<boolean>((resolve) => {
      probe.once("error", () => resolve(false));
      probe.listen(port, "localhost", () => resolve(true));
    });
  if (!(await listening(wanted))) await listening(0);
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
