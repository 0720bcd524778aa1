import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startCore, type TestCore } from "../testing/core.ts";
import { createNaiveVerification } from "../testing/naive-verification.ts";
import { answerRunner, inThread, isTestRunner } from "../testing/thread.ts";

const codes = 1_000;
const attempts = 64;
/** So many users race at once, each with a code and 64 attempts of their own. */
const usersAtOnce = 4;
const methodId = "EMERGENCY_TOKENCODE";

type Way = (user: string, code: string) => Promise<boolean>;

/** For each code how many of its attempts were accepted, and what the record says in all. */
interface Races {
  successes: number[];
  recorded: { success: number; refused: number };
  /** How many attempts with one code the naive verification accepted. */
  naive: number;
}

if (isTestRunner) {
  describe("of sixty-four simultaneous attempts with one one-time code", () => {
    const races = inThread<Races>(import.meta.url);

    it("exactly one is accepted, whichever protocol it came by, for 1,000 codes in a row", async () => {
      const { successes, recorded } = await races;
      assert.equal(successes.length, codes);
      assert.deepEqual(new Set(successes), new Set([1]));
      assert.deepEqual(recorded, { success: codes, refused: codes * (attempts - 1) });
    });

    it("control: more than one is accepted by a verification that reads, decides and then writes", async () => {
      assert.ok((await races).naive > 1);
    });
  });
} else {
  answerRunner(await runRaces());
}

async function runRaces(): Promise<Races> {
  const core = await startCore();
  const names = Array.from({ length: usersAtOnce }, (_, i) => `user.${i}`);
  const users = await Promise.all(names.map((name) => core.createUser(name)));
  const successes: number[] = [];
  while (successes.length < codes) {
    const round = users.map(async ({ id, username }) => race(core, id, username, await waysOf(core, username)));
    successes.push(...(await Promise.all(round)));
  }
  const recorded = await verificationsIn(core);
  const naive = await createNaiveVerification(core);
  const [{ id, username } = assert.fail()] = users;
  const naiveWays = Array.from({ length: attempts }, (): Way => (_, code) => naive(id, code));
  const result = { successes, recorded, naive: await race(core, id, username, naiveWays) };
  await core.close();
  return result;
}

/** Issues a code, presents it in all these ways at once, and answers how many were accepted. */
async function race(core: TestCore, id: string, username: string, ways: readonly Way[]): Promise<number> {
  const code = await core.issue(id, { oneTime: true });
  const accepted = await Promise.all(ways.map((way) => way(username, code)));
  return accepted.filter(Boolean).length;
}

/** Eight ways by an attempt that was begun before, sixteen by one-call authentication, the rest by Sparekey's own call. */
async function waysOf(core: TestCore, username: string): Promise<Way[]> {
  const { authentication, client } = core;
  const subjectCredentials = (value: string) => [{ methodId, collectedInputs: [{ name: methodId, value }] }];
  const begin = async (): Promise<Way> => {
    const { context } = await authentication.initialize(client, { subjectName: username, context: { messageId: "m" } });
    return async (_, code) => {
      const turn = { authnAttemptId: context.authnAttemptId, messageId: "m", inResponseTo: context.messageId };
      const answer = await authentication.verify(client, {
        context: turn,
        subjectCredentials: subjectCredentials(code),
      });
      return answer.attemptResponseCode === "SUCCESS";
    };
  };
  const oneCall: Way = async (subjectName, code) => {
    const request = { subjectName, context: { messageId: "m" }, subjectCredentials: subjectCredentials(code) };
    return (await authentication.initialize(client, request)).attemptResponseCode === "SUCCESS";
  };
  const begun = await Promise.all(Array.from({ length: attempts / 8 }, begin));
  return begun.flatMap((way) => [
    core.verify,
    oneCall,
    core.verify,
    way,
    core.verify,
    oneCall,
    core.verify,
    core.verify,
  ]);
}

async function verificationsIn({ db }: TestCore) {
  const rows = await db.read
    .selectFrom("audit_events")
    .select("canonical")
    .where("action", "=", "emergency_code.verified")
    .execute();
  const outcomes = rows.map(({ canonical }) => JSON.parse(canonical).outcome);
  const count = (outcome: string) => outcomes.filter((one) => one === outcome).length;
  return { success: count("success"), refused: count("refused") };
}
