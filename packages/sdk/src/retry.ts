/** Whether and when a request is sent again. Pure: clock and randomness are arguments. */

/** How often and how long a client waits for a busy server. */
export interface RetryLimits {
  /** Further tries after the first. */
  maxRetries: number;
  /** The longest that all waits of one call may take together, in milliseconds. */
  maxRetryWaitMs: number;
}

/**
 * The wait that `Retry-After` asks for, in milliseconds; undefined when it is absent or unreadable.
 *
 * A date is measured against the answer's own `Date`, so that a wrong clock on this side does no harm.
 */
export function readRetryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  if (Number.isNaN(at)) return undefined;
  const sentAt = Date.parse(headers.get("date") ?? "");
  return Math.max(0, at - (Number.isNaN(sentAt) ? nowMs : sentAt));
}

/** The wait before the next try when the server names none: half a second, doubled each time. */
export function backoffMs(retriesSoFar: number): number {
  return 500 * 2 ** retriesSoFar;
}

/**
 * Adds up to a tenth and at most a second (never subtracts: the server's word is the least), so that
 * clients that were refused together do not come back together.
 */
export function withJitter(waitMs: number, random: () => number): number {
  return Math.round(waitMs + random() * Math.min(1_000, 100 + waitMs / 10));
}
