/** What is measured: an installation, and as many server processes for it as are asked for. */
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { PostgresServer } from "../../packages/server/src/testing/postgres/server.ts";
import { requestsOf } from "../load/calls.ts";
import type { Target } from "../load/measure.ts";
import type { CallName, TokenCache } from "../options.ts";
import { type Installation, makeInstallation, program } from "../population/installation.ts";
import { cpuSecondsOfFamily } from "./accounting.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

export interface SubjectOptions {
  /** For its files. */
  directory: string;
  users: number;
  processes: number;
  postgres: { server: PostgresServer; pid: number } | undefined;
  profile: string | undefined;
  signal: AbortSignal;
  quick: boolean;
}

export class Subject {
  readonly installation: Installation;
  readonly servers: ServerProcess[] = [];
  readonly #options: SubjectOptions;

  private constructor(options: SubjectOptions, installation: Installation) {
    this.#options = options;
    this.installation = installation;
  }

  static async prepare(options: SubjectOptions): Promise<Subject> {
    const { directory, users, postgres, signal } = options;
    return new Subject(options, await makeInstallation({ directory, users, postgres: postgres?.server, signal }));
  }

  async start() {
    const { processes } = this.#options;
    for (let index = 0; index < processes; index += 1) this.servers.push(await this.#startServer(index));
  }

  /** So many of its processes. The others idle meanwhile. */
  target(processes: number): Target {
    const { postgres } = this.#options;
    const servers = this.servers.slice(0, processes);
    const total = (numbers: number[]) => numbers.reduce((sum, each) => sum + each, 0);
    return {
      ports: servers.map(({ port }) => port),
      cpuSeconds: () => ({
        servers: total(servers.map((server) => server.cpuSeconds())),
        postgres: postgres === undefined ? 0 : cpuSecondsOfFamily(postgres.pid),
      }),
      memoryMiB: () => total(servers.map((server) => server.memoryMiB())),
    };
  }

  async requests(call: CallName, tokens: TokenCache, processes: number) {
    const { clientKey, population, tokens: source } = this.installation;
    const count = tokens === "hot" ? 1 : this.#coldTokens(processes);
    return requestsOf(call, population, { clientKey, tokens: await source.take(count) });
  }

  async stop() {
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  /**
   * More than the 5,000 tokens that a server remembers, for each of them: taken in turn, a token has been forgotten by the
   * time it comes again. A quick run proves only that there can be several.
   */
  #coldTokens(processes: number): number {
    return this.#options.quick ? 50 : 6_000 * processes;
  }

  /** Each has a directory of its own, as on a machine of its own. */
  #startServer(index: number): Promise<ServerProcess> {
    const { directory, profile } = this.#options;
    const { dataDir: first, env } = this.installation;
    const dataDir = index === 0 ? first : join(directory, `data-${index}`);
    if (index > 0) {
      mkdirSync(dataDir, { mode: 0o700 });
      cpSync(join(first, "root.key"), join(dataDir, "root.key"));
    }
    const args = (port: number) => ["serve", "--data-dir", dataDir, "--host", "127.0.0.1", "--port", String(port)];
    return startServer({ script: program, args, env, index, profile });
  }
}
