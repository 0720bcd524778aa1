import type { Job } from "../platform/jobs.ts";
import type { RollbackWatch } from "./service.ts";

export function keepRecordMark(watch: RollbackWatch): Job {
  return { name: "keep the record mark", everyMs: 1_000, run: () => watch.look() };
}
