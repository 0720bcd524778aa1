/** Budgets of calls a minute, counted in this process, and the headers that tell a client of them. */
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";

/** What is left of a budget after a call. */
export interface Spent {
  budget: string;
  /** Calls a minute. */
  limit: number;
  remaining: number;
  resetSeconds: number;
  exceeded: boolean;
}

export interface RateLimiter {
  /** Spends one call of the key's budget; the limit may be another every time. */
  spend(budget: string, key: string, limit: number): Promise<Spent>;
}

const windowSeconds = 60;

export function createRateLimiter(): RateLimiter {
  const limiters = new Map<string, RateLimiterMemory>();

  function limiterOf(budget: string, points: number): RateLimiterMemory {
    const limiter =
      limiters.get(budget) ?? new RateLimiterMemory({ keyPrefix: budget, points, duration: windowSeconds });
    limiter.points = points;
    limiters.set(budget, limiter);
    return limiter;
  }

  return {
    spend: async (budget, key, limit) => {
      const result = await limiterOf(budget, limit).consume(key).catch(exceededResult);
      return {
        budget,
        limit,
        remaining: Math.max(0, result.remainingPoints),
        resetSeconds: Math.max(1, Math.ceil(result.msBeforeNext / 1_000)),
        exceeded: result.consumedPoints > limit,
      };
    },
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
