import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { describe, it } from "node:test";
import { answerRunner, inThread, isTestRunner } from "../thread.ts";
import { bugs } from "./bugs.ts";
import { explore, type Failure, seedsToFind } from "./explore.ts";
import { knownFindings } from "./known-findings.ts";
import { wholeTrace } from "./report.ts";
import { prepareBeginning, simulate } from "./simulate.ts";

const seeds = { from: 1, count: 1_000, calls: 40 };
/** Within so many seeds each bug must be found. */
const seedsForBug = 200;

interface Results {
  failures: Failure[];
  /** Of each known finding, the seeds that showed it. */
  known: number[];
  /** Of one seed's whole course, run twice, and of another's. */
  courses: string[];
  found: Record<string, number | undefined>;
}

if (isTestRunner) {
  describe("the core, simulated with every choice made by a seed", () => {
    const results = inThread<Results>(import.meta.url);

    it("keeps its promises whatever fails, and in whichever order everything happens", async () => {
      const { failures } = await results;
      const again = ({ seed, findings, trace }: Failure) =>
        [`npm run test:simulation -- --seed ${seed} --ops ${seeds.calls}`, ...findings, trace].join("\n");
      assert.deepEqual(failures.map(again), []);
    });

    it("takes the same course again from the same seed, byte for byte", async () => {
      const [first, again, other] = (await results).courses;
      assert.equal(again, first);
      assert.notEqual(other, first);
    });

    for (const [place, { rule, why }] of knownFindings.entries()) {
      it(`still shows what is known (${rule}): ${why.split(". ")[0]}`, async () => {
        assert.ok(((await results).known[place] ?? 0) > 0, "it is no longer to be seen: take it off the list");
      });
    }

    for (const [name, { rules }] of Object.entries(bugs)) {
      it(`control: finds, as a breach of ${rules.join(" or ")}, that ${name}`, async (test) => {
        const taken = (await results).found[name];
        assert.ok(taken !== undefined, `not within ${seedsForBug} seeds`);
        test.diagnostic(`found by seed ${taken}`);
      });
    }
  });
} else {
  const beginning = await prepareBeginning();
  const { failures, known } = await explore(beginning, seeds);
  const courses: string[] = [];
  for (const seed of [7, 7, 8]) courses.push(hash("sha256", wholeTrace(await simulate(beginning, seed))));
  const found: Results["found"] = {};
  for (const [name, bug] of Object.entries(bugs)) {
    found[name] = await seedsToFind(beginning, bug, { ...seeds, count: seedsForBug });
  }
  answerRunner({ failures, known: knownFindings.map((one) => known.get(one) ?? 0), courses, found } satisfies Results);
}
