/**
 * The work's result, or `late()` thrown once `ms` have passed. The work goes on by itself: whoever waited for it
 * has stopped waiting, and nothing more can be said of it.
 */
export async function withinMs<Result>(ms: number, work: Promise<Result>, late: () => Error): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  // Whichever loses must not be an unhandled rejection.
  work.catch(() => undefined);
  return Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}
