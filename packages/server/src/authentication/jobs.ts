import type { Job } from "../platform/jobs.ts";
import type { AuthenticationService } from "./service.ts";

export function removeExpiredAttempts(authentication: AuthenticationService): Job {
  return {
    name: "remove expired authentication attempts",
    everyMs: 60_000,
    run: () => authentication.removeExpired(),
  };
}
