/**
 * What the simulation finds in the core and the core does not do better yet. Each is still to be seen, or its line
 * here must go.
 */
import type { Finding } from "./oracle/evidence.ts";

export interface KnownFinding {
  rule: string;
  what: RegExp;
  why: string;
}

export const knownFindings: readonly KnownFinding[] = [
  {
    rule: "P11",
    what: /acknowledged before it was decided/,
    why:
      "Settings and keys are looked at under a lease that lasts when a decision is sent to the database. One that " +
      "takes longer than a lease to get there may go by what has been changed and acknowledged meanwhile.",
  },
];

export function knownAs({ rule, what }: Finding): KnownFinding | undefined {
  return knownFindings.find((known) => known.rule === rule && known.what.test(what));
}
