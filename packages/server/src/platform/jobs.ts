/** What runs on a timer: one job at a time each, a failure logged and tried again at the next turn. */
import type { Log } from "./log.ts";

export interface Job {
  name: string;
  everyMs: number;
  run(): Promise<void>;
}

/** Starts the jobs; the function that it returns stops them and waits for what is under way. */
export function startJobs(jobs: Job[], log: Log): () => Promise<void> {
  const running = new Set<Promise<void>>();
  const timers = jobs.map((job) => {
    let busy = false;
    const turn = async () => {
      busy = true;
      await job.run().catch((error: unknown) => log.error({ err: error, job: job.name }, "job failed"));
      busy = false;
    };
    return setInterval(() => {
      if (busy) return;
      const turnTaken = turn().finally(() => running.delete(turnTaken));
      running.add(turnTaken);
    }, job.everyMs).unref();
  });
  return async () => {
    for (const timer of timers) clearInterval(timer);
    await Promise.all(running);
  };
}
