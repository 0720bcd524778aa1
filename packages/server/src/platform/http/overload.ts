/**
 * What keeps a process answering however much is asked of it: a bound on the requests under way, and a deadline
 * for each of them.
 *
 * Past the bound a request is refused before anything is spent on it: no credential is looked at, no body is read.
 * At its deadline a request is answered, while its work goes on by itself; the queues below have bounds of their own.
 */
import type { Log } from "../log.ts";
import { Refusal } from "../refusal.ts";
import type { Wire } from "./wire.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Answered also when the process has taken on all that it takes: what machines ask about its health. */
    vital?: boolean;
  }
  interface FastifyRequest {
    /** Refused before anything was spent on it; it is counted and not logged. */
    refusedEarly: boolean;
  }
}

/** Milliseconds after which a call is answered that it must be made again; `handlerTimeout` of a route. */
export const deadlinesMs = {
  call: 1_900,
  /** A thousand records, or a change that has to wait until it holds on every node. */
  slow: 8_000,
  /** A thousand users. */
  batch: 30_000,
};

/**
 * Requests under way at most. Enough that ten times the clients that keep a node busy still get answers rather
 * than refusals, and that answers on a slow beat do not limit their number; little enough that they fit in memory.
 */
const maxInFlight = 1_000;
/**
 * How long one turn of the event loop takes new requests. Those that are read later in it have waited for as long
 * already, where no deadline counts, and hold up what was taken on before them.
 */
const maxTurnMs = 500;
/**
 * How long a refusal is held back. A client that comes again at once would otherwise be refused over and over, as fast
 * as the process can, which then gets to little else; one that waits as it was told loses nothing.
 */
const refuseAfterMs = 500;
/** Connections at most; each costs memory before it has asked for anything. */
const maxConnections = 5_000;
/** Refusals come in floods, and one line tells of all of them. */
const logEveryMs = 10_000;

export type RefusedFor = "overload" | "deadline";

export interface RequestLoad {
  inFlight(): number;
  isFull(): boolean;
}

/** Must come before any hook that costs something. */
export function boundRequests(server: Wire, log: Log, onRefused: (reason: RefusedFor) => void): RequestLoad {
  let inFlight = 0;
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  const turn = new LoopTurn();
  const isFull = () => inFlight >= maxInFlight;
  server.server.maxConnections = maxConnections;
  server.decorateRequest("refusedEarly", false);

  server.addHook("onRequest", (request, reply, done) => {
    if (request.routeOptions.config.vital === true) return done();
    if (isFull() || turn.ageMs() > maxTurnMs) {
      onRefused("overload");
      request.refusedEarly = true;
      if (performance.now() - loggedAtMs >= logEveryMs) {
        loggedAtMs = performance.now();
        log.warn({ inFlight }, "overloaded: requests are refused");
      }
      setTimeout(done, refuseAfterMs, overloaded);
      return;
    }
    inFlight++;
    // Comes in every case: once the answer is out, or the client is gone.
    reply.raw.once("close", () => {
      inFlight--;
    });
    done();
  });
  server.addHook("onResponse", (request, _reply, done) => {
    if (isPastDeadline(request.signal.reason)) onRefused("deadline");
    done();
  });
  return { inFlight: () => inFlight, isFull };
}

/** How long the event loop has been at the requests that it found when it last looked. */
class LoopTurn {
  #startedAtMs: number | undefined;

  ageMs(): number {
    if (this.#startedAtMs !== undefined) return performance.now() - this.#startedAtMs;
    this.#startedAtMs = performance.now();
    setImmediate(() => {
      this.#startedAtMs = undefined;
    });
    return 0;
  }
}

/** Made once: an error's stack costs more than the refusal. */
const overloaded = new Refusal("unavailable", { detail: "overloaded", retryAfterSeconds: 1, inFloods: true });

/** Fastify's error for a handler that took longer than it may. */
export function isPastDeadline(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === "FST_ERR_HANDLER_TIMEOUT";
}
