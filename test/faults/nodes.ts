/** Real `sparekey-server` processes on one PostgreSQL, each with a data directory of its own and the same root key. */
import { setTimeout as delay } from "node:timers/promises";
import { query, type TestDatabase } from "../../packages/server/src/testing/postgres/databases.ts";
import { type ApiCaller, changeSettings, createApiCaller } from "../api-caller.ts";
import {
  copyInstallation,
  createInstallation,
  type Environment,
  type Installation,
  type ServerProcess,
  startServer,
} from "../server-process.ts";
import type { FaultContext } from "./fault.ts";
import { keepAlive } from "./transport.ts";

const readyWithinMs = 60_000;
/** No rate limit counts, nobody waits for the beat, and a load of wrong codes locks nobody. */
const calmSettings = {
  answerTimeMs: 0,
  lockout: { tries: 100, lockMinutes: 30 },
  rateLimits: {
    administrationPerMinute: 10_000_000,
    authenticationPerMinute: 10_000_000,
    refusedPerMinute: 10_000_000,
  },
};

export interface NodesOptions {
  count?: number;
  env?: Environment;
  /** The way to the database for a node, such as through a proxy; directly unless said. */
  way?: (appUrl: string, node: number) => string;
}

/** A node that is killed and started again; its port changes, its data directory stays. */
export class FaultNode {
  readonly installation: Installation;
  readonly #env: Environment;
  #server: ServerProcess | undefined;
  #caller: ApiCaller | undefined;

  constructor(installation: Installation, env: Environment) {
    this.installation = installation;
    this.#env = env;
  }

  async start(): Promise<void> {
    this.#server = await startServer(this.installation.dataDir, this.#env);
    this.#caller = createApiCaller(this.#server.url, this.installation, keepAlive());
  }

  /** Undefined while the node is down. */
  get callerIfUp(): ApiCaller | undefined {
    return this.#caller;
  }

  get caller(): ApiCaller {
    if (this.#caller === undefined) throw new Error("the node is down");
    return this.#caller;
  }

  get url(): string {
    return this.#server?.url ?? "";
  }

  /** What it wrote to its log since it was started. */
  get log(): string {
    return this.#server?.stdout() ?? "";
  }

  async kill9(): Promise<void> {
    const server = this.#server;
    await server?.stop("SIGKILL");
    this.#caller = undefined;
  }

  async isReady(): Promise<boolean> {
    const answer = await this.callerIfUp?.call("GET", "/readyz").catch(() => undefined);
    return answer?.status === 200;
  }
}

export interface Nodes {
  nodes: [FaultNode, FaultNode, FaultNode, ...FaultNode[]];
  installation: Installation;
  /** A node that is up, chosen by a number from 0 up to 1. */
  any(roll: number): ApiCaller | undefined;
  /** Resolves once every node says that it is ready. */
  ready(): Promise<void>;
}

/** Makes an installation in the database and starts nodes on it. */
export async function startNodes(
  context: FaultContext,
  { appUrl, ownerUrl }: TestDatabase,
  { count = 3, env = {}, way = (url) => url }: NodesOptions = {},
): Promise<Nodes> {
  const installation = await createInstallation([], {
    SPAREKEY_DATABASE_URL: appUrl,
    SPAREKEY_DATABASE_OWNER_URL: ownerUrl,
  });
  context.after(installation.remove);
  const nodes = Array.from({ length: count }, (_, n) => {
    const own = copyInstallation(installation);
    context.after(own.remove);
    const node = new FaultNode(own, {
      SPAREKEY_DATABASE_URL: way(appUrl, n),
      SPAREKEY_DRAIN_SECONDS: "0",
      ...env,
    });
    context.after(() => node.kill9());
    return node;
  });
  await Promise.all(nodes.map((node) => node.start()));
  const ready = () =>
    until("every node is ready", async () => (await Promise.all(nodes.map((node) => node.isReady()))).every(Boolean));
  await ready();
  await setCalmly((nodes[0] as FaultNode).caller);
  return {
    ready,
    nodes: nodes as unknown as Nodes["nodes"],
    installation,
    any: (roll) => {
      const up = nodes.filter((node) => node.callerIfUp !== undefined);
      return up[Math.floor(roll * up.length)]?.callerIfUp;
    },
  };
}

/** A busy machine may keep a node from looking at its database for so long that it is not ready any more. */
function setCalmly(caller: ApiCaller): Promise<void> {
  return until("the settings are changed", () =>
    changeSettings(caller, calmSettings).then(
      () => true,
      (error: unknown) => {
        if (/"unavailable"/.test(String(error))) return false;
        throw error;
      },
    ),
  );
}

/** Asks until it is so. */
export async function until(what: string, held: () => Promise<boolean>, withinMs = readyWithinMs): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await held())) {
    if (performance.now() > endMs) throw new Error(`never came to be: ${what}`);
    await delay(50);
  }
}

/**
 * Resolves once no node's statement is under way in the database: what a killed process sent, or what was answered
 * with 503, may still be carried out until then.
 */
export function quiet({ name, superuserUrl }: TestDatabase): Promise<void> {
  const sql = `SELECT count(*)::int AS busy FROM pg_stat_activity
    WHERE datname = $1 AND application_name = 'sparekey' AND (state <> 'idle' OR state IS NULL)`;
  return until("nothing is under way in the database", async () => {
    const [row] = await query<{ busy: number }>(superuserUrl, sql, [name]);
    return row?.busy === 0;
  });
}
