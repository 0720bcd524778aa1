import type { Clock } from "./clock.ts";

/**
 * Runs the work and answers at a whole multiple of `gridMs` after it began.
 *
 * What the work did, and how long that took, is then no longer to be seen in the time of the answer:
 * every answer comes at the first beat, and under load at a later beat. 0 answers at once.
 */
export async function answerOnTheBeat<Result>(
  clock: Clock,
  gridMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const startedMs = clock.monotonicMs();
  const result = await work();
  if (gridMs > 0) {
    const tookMs = clock.monotonicMs() - startedMs;
    await clock.sleep(Math.ceil(tookMs / gridMs) * gridMs - tookMs);
  }
  return result;
}
