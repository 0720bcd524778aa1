/** The processes of one server: started, stopped, killed, frozen. What is inside them is no matter here. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Account } from "./account.ts";
import { tellGuard } from "./guarding.ts";
import { freezeTree, killTree, resumeTree } from "./process-tree.ts";
import { dataDirectoryIn, readLine, removeCluster } from "./remove-cluster.ts";

/** A start or a stop that takes longer has failed. */
const patienceMs = 30_000;

export class Postmaster {
  readonly directory: string;
  readonly dataDirectory: string;
  readonly #postgres: string;
  readonly #account: Account | undefined;
  readonly #logFile: string;
  #process: ChildProcess | undefined;

  constructor(postgres: string, directory: string, account: Account | undefined) {
    tellGuard({ directory, pid: undefined });
    this.directory = directory;
    this.dataDirectory = dataDirectoryIn(directory);
    this.#postgres = postgres;
    this.#account = account;
    this.#logFile = join(directory, "server.log");
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /** What the server wrote since the directory was made. */
  log(): string {
    return readFileSync(this.#logFile, "utf8");
  }

  /** Resolves once the server takes connections, recovery after a crash included. */
  async start(port: number): Promise<void> {
    if (this.running) throw new Error("the server is running already");
    const log = openSync(this.#logFile, "a");
    const child = spawn(this.#postgres, ["-D", this.dataDirectory, "-p", String(port)], {
      ...this.#account,
      cwd: this.directory,
      detached: true,
      env: { LC_ALL: "C", TZ: "UTC" },
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    this.#process = child;
    // The guard ends it when we are gone, so that it need not keep us.
    child.unref();
    child.on("error", () => this.#ended(child)).on("exit", () => this.#ended(child));
    tellGuard({ directory: this.directory, pid: child.pid });
    await this.#untilReady(child);
  }

  /** Ends connections and writes everything down. */
  stop(): Promise<void> {
    return this.#end("SIGINT");
  }

  /** As a crash: nobody can write anything down, and every process of the server is gone afterwards. */
  async kill9(): Promise<void> {
    const child = this.#process;
    if (child?.pid === undefined) throw new Error("the server is not running");
    const ended = once(child, "exit");
    child.ref();
    await killTree(child.pid);
    await ended;
  }

  /** A database that hangs: it accepts connections, because the system does that for it, and never answers. */
  async pause(): Promise<void> {
    await freezeTree(this.#pid());
  }

  async resume(): Promise<void> {
    await resumeTree(this.#pid());
  }

  /** Writes nothing down before, as nothing will be left of it. */
  async remove(): Promise<void> {
    await this.#end("SIGQUIT");
    removeCluster(this.directory);
    tellGuard({ directory: this.directory, pid: undefined, removed: true });
  }

  /** A server that does not follow is killed. */
  async #end(signal: "SIGINT" | "SIGQUIT"): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const ended = once(child, "exit");
    child.ref();
    await this.resume();
    child.kill(signal);
    const timer = setTimeout(() => void this.kill9(), patienceMs);
    await ended.finally(() => clearTimeout(timer));
  }

  #pid(): number {
    if (this.#process?.pid === undefined) throw new Error("the server is not running");
    return this.#process.pid;
  }

  #ended(child: ChildProcess) {
    if (this.#process !== child) return;
    this.#process = undefined;
    tellGuard({ directory: this.directory, pid: undefined });
  }

  /** The server writes its state into the eighth line of its lock file, for those who started it. */
  async #untilReady(child: ChildProcess): Promise<void> {
    const lockFile = join(this.dataDirectory, "postmaster.pid");
    const deadlineMs = performance.now() + patienceMs;
    while (readLine(lockFile, 1) !== String(child.pid) || readLine(lockFile, 8).trim() !== "ready") {
      if (this.#process !== child) throw new Error(`PostgreSQL did not start:\n${this.log()}`);
      if (performance.now() > deadlineMs) {
        await this.kill9();
        throw new Error(`PostgreSQL did not get ready:\n${this.log()}`);
      }
      await sleep(5);
    }
  }
}
