import type { Job } from "../platform/jobs.ts";
import type { IdempotencyService } from "./service.ts";

export function removeExpiredAnswers(idempotency: IdempotencyService): Job {
  return {
    name: "remove expired answers of repeatable calls",
    everyMs: 60_000,
    run: () => idempotency.removeExpired(),
  };
}
