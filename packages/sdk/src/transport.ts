import { idempotencyKeyHeader } from "@sparekey/contract";
import { SparekeyConnectionError, SparekeyError } from "./errors.ts";
import { exchange, type Fetch, type ServerAnswer, type ServerRequest } from "./exchange.ts";
import { refusalFrom, type StatusMeanings } from "./refusal.ts";
import { backoffMs, type RetryLimits, readRetryAfterMs, withJitter } from "./retry.ts";

/** What every client takes: limits, and the outside world for tests and unusual places. */
export interface TransportOptions extends Partial<RetryLimits> {
  /** Milliseconds that one try may take before it counts as `timed_out`; 30,000 unless given. */
  timeoutMs?: number;
  /** The platform's `fetch` unless given. */
  fetch?: Fetch;
  /** Milliseconds since 1970; the system's clock unless given. */
  now?: () => number;
  /** Waits so many milliseconds. */
  sleep?: (ms: number) => Promise<void>;
  /** A number from 0 up to 1, for jitter alone; `Math.random` unless given. */
  random?: () => number;
}

/** A success as its caller needs it. */
export interface Answer<Body> {
  status: number;
  headers: Headers;
  /** Parsed JSON; undefined when the body was empty. */
  body: Body;
}

/** Sends a request, waits and repeats where that is safe, and throws whatever is not a success. */
export type Send = <Body>(request: ServerRequest) => Promise<Answer<Body>>;

/** How one API authenticates, and what its bare statuses mean. */
export interface Wire {
  credentials: () => Promise<Record<string, string>>;
  meanings: StatusMeanings;
}

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function createTransport(wire: Wire, options: TransportOptions): Send {
  const { timeoutMs = 30_000, now = Date.now, sleep = wait, random = Math.random } = options;
  const { maxRetries = 4, maxRetryWaitMs = 120_000 } = options;
  // Called through a closure: browsers refuse a fetch that was taken off its window.
  const fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));

  async function attempt<Body>(request: ServerRequest): Promise<Answer<Body> | Failed> {
    const credentials = await wire.credentials();
    try {
      const answer = await exchange(fetch, request, credentials, timeoutMs);
      if (answer.status >= 200 && answer.status < 300) return readSuccess(answer);
      const retryAfterMs = readRetryAfterMs(answer.headers, now());
      const error = refusalFrom(answer, wire.meanings, retryAfterMs);
      return new Failed(error, mayRetryRefusal(request, answer, retryAfterMs), retryAfterMs);
    } catch (error) {
      if (error instanceof SparekeyConnectionError) return new Failed(error, mayRepeat(request));
      throw error;
    }
  }

  return async <Body>(request: ServerRequest) => {
    let waitedMs = 0;
    for (let retries = 0; ; retries += 1) {
      const outcome = await attempt<Body>(request);
      if (!(outcome instanceof Failed)) return outcome;
      const waitMs = withJitter(outcome.retryAfterMs ?? backoffMs(retries), random);
      waitedMs += waitMs;
      if (!outcome.mayRetry || retries >= maxRetries || waitedMs > maxRetryWaitMs) throw outcome.error;
      await sleep(waitMs);
    }
  };
}

class Failed {
  readonly error: SparekeyError | SparekeyConnectionError;
  readonly mayRetry: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(error: SparekeyError | SparekeyConnectionError, mayRetry: boolean, retryAfterMs?: number) {
    this.error = error;
    this.mayRetry = mayRetry;
    this.retryAfterMs = retryAfterMs;
  }
}

function mayRepeat({ method, repeatable }: ServerRequest): boolean {
  return method === "GET" || repeatable === true;
}

/**
 * 429 says that nothing was done. A 503 with `Retry-After` asks to be asked again; one without may come from a proxy
 * that lost the server in the middle of the call. A 409 with `Retry-After` says that an earlier try is still under way.
 */
function mayRetryRefusal(request: ServerRequest, { status }: ServerAnswer, retryAfterMs: number | undefined): boolean {
  if (status === 429) return true;
  if (status === 409) return retryAfterMs !== undefined && request.headers?.[idempotencyKeyHeader] !== undefined;
  return status === 503 && (mayRepeat(request) || retryAfterMs !== undefined);
}

function readSuccess<Body>({ status, headers, text }: ServerAnswer): Answer<Body> {
  if (text === "") return { status, headers, body: undefined as Body };
  try {
    return { status, headers, body: JSON.parse(text) as Body };
  } catch {
    throw new SparekeyError("unknown", {
      status,
      detail: "the answer is not JSON; is this the address of a Sparekey server?",
    });
  }
}
