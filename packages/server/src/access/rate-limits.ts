/** How many calls a minute: one budget a key, and one a network for credentials that were refused. */
import type { Settings } from "@sparekey/contract";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";

export type Budget = "administration" | "authentication" | "refused";

/** What is left of a budget after a call. */
export interface Spent {
  budget: Budget;
  /** Calls a minute. */
  limit: number;
  remaining: number;
  resetSeconds: number;
  exceeded: boolean;
}

const windowSeconds = 60;

/** Counts in this process: each node has its own budgets. The limit on guesses is elsewhere, in the database. */
export function createRateLimits() {
  const limiters = new Map<Budget, RateLimiterMemory>();

  function limiterOf(budget: Budget, points: number): RateLimiterMemory {
    const limiter = limiters.get(budget) ?? new RateLimiterMemory({ keyPrefix: budget, points, duration: windowSeconds });
    limiter.points = points;
    limiters.set(budget, limiter);
    return limiter;
  }

  return async function spend(budget: Budget, key: string, limits: Settings["rateLimits"]): Promise<Spent> {
    const limit = limits[`${budget}PerMinute`];
    const result = await limiterOf(budget, limit).consume(key).catch(exceededResult);
    return {
      budget,
      limit,
      remaining: Math.max(0, result.remainingPoints),
      resetSeconds: Math.max(1, Math.ceil(result.msBeforeNext / 1_000)),
      exceeded: result.consumedPoints > limit,
    };
  };
}

/** The library throws the count itself when it is over the limit, and errors when it is broken. */
function exceededResult(thrown: unknown): RateLimiterRes {
  if (thrown instanceof RateLimiterRes) return thrown;
  throw thrown;
}

/** `RateLimit` and `RateLimit-Policy` as structured fields. */
export function rateLimitHeaders({ budget, limit, remaining, resetSeconds }: Spent): Record<string, string> {
  return {
    "ratelimit-policy": `"${budget}";q=${limit};w=${windowSeconds}`,
    ratelimit: `"${budget}";r=${remaining};t=${resetSeconds}`,
  };
}
