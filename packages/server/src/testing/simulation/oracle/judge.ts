/** What a run shows that must not be: a sequential view of it, which knows nothing of how the core works. */
import type { Run } from "../simulate.ts";
import { checkAnswers } from "./answers.ts";
import { checkEndings } from "./endings.ts";
import { Evidence, type Finding } from "./evidence.ts";
import { checkGuesses } from "./guesses.ts";
import { checkMemories } from "./memories.ts";
import { checkReplay } from "./replay.ts";

export function judge(run: Run): Finding[] {
  const evidence = new Evidence(run);
  for (const check of [checkAnswers, checkEndings, checkGuesses, checkMemories, checkReplay]) check(evidence);
  return evidence.findings;
}
