import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { AuditQuery } from "@sparekey/contract";
import { startCore, type TestCore } from "../testing/core.ts";
import { createNaiveVerification } from "../testing/naive-verification.ts";
import { answerRunner, inThread, isTestRunner } from "../testing/thread.ts";

const pairs = 750;
let reading: Promise<unknown> = Promise.resolve();
const usersAtOnce = 25;

type User = { id: string; username: string };
type Verify = (user: User, code: string) => Promise<boolean>;

/** What can end a code, and the record that it leaves. */
const ends = {
  revoke: {
    action: "emergency_code.revoked",
    run: ({ codes, administrator }: TestCore, { id }: User) => codes.revoke(administrator, id),
  },
  disable: {
    action: "user.disabled",
    run: ({ users, administrator }: TestCore, { id }: User) => users.setStatus(administrator, id, "disabled"),
  },
  issue: {
    action: "emergency_code.issued",
    run: ({ codes, administrator }: TestCore, { id }: User) => codes.issue(administrator, id, {}),
  },
};
type End = keyof typeof ends;

/** How many verifications were accepted, in all, and where none may be. */
interface Accepted {
  racing: number;
  refusedRacing: number;
  afterAcknowledgement: number;
  afterRecord: number;
}
interface Results {
  real: Record<End, Accepted>;
  naive: Accepted;
  issues: { codesThatWork: number; currentOnes: number }[];
}

if (isTestRunner) {
  describe("a code whose end races with its use, for 750 codes an end", () => {
    const results = inThread<Results>(import.meta.url);
    for (const end of Object.keys(ends) as End[]) {
      it(`is never accepted once its end by ${end} is acknowledged, nor behind that end in the record`, async () => {
        const { racing, refusedRacing, ...late } = (await results).real[end];
        assert.deepEqual(late, { afterAcknowledgement: 0, afterRecord: 0 });
        // Both sides win at times, so it was a race.
        assert.ok(racing > 0 && refusedRacing > 0, `${racing} accepted, ${refusedRacing} refused`);
      });
    }

    it("control: is accepted behind its end by a verification that reads, decides and then writes", async () => {
      assert.ok((await results).naive.afterRecord > 0);
    });

    it("is the only one that works when eight are issued to a user at once", async () => {
      const { issues } = await results;
      assert.equal(issues.length, 100);
      for (const issue of issues) assert.deepEqual(issue, { codesThatWork: 1, currentOnes: 1 });
    });
  });
} else {
  answerRunner(await runRaces());
}

async function runRaces(): Promise<Results> {
  const core = await startCore();
  const names = Array.from({ length: usersAtOnce }, (_, i) => `user.${i}`);
  const users = await Promise.all(names.map((name) => core.createUser(name)));
  const real: Verify = ({ username }, code) => core.verify(username, code);
  const naive = await createNaiveVerification(core);
  const results = {
    real: {
      revoke: await raceAll(core, users, "revoke", real),
      disable: await raceAll(core, users, "disable", real),
      issue: await raceAll(core, users, "issue", real),
    },
    naive: await raceAll(core, users, "revoke", ({ id }, code) => naive(id, code), 100),
    issues: await Promise.all(Array.from({ length: 100 }, (_, i) => issueAtOnce(core, `issued.${i}`))),
  };
  await core.close();
  return results;
}

async function raceAll(core: TestCore, users: User[], end: End, verify: Verify, times = pairs): Promise<Accepted> {
  const total: Accepted = { racing: 0, refusedRacing: 0, afterAcknowledgement: 0, afterRecord: 0 };
  for (let raced = 0; raced < times; raced += users.length) {
    for (const result of await Promise.all(users.map((user) => raceOne(core, user, end, verify)))) {
      for (const key of Object.keys(total) as (keyof Accepted)[]) total[key] += result[key];
    }
  }
  return total;
}

/** One listing at a time, as an auditor has it; more at once would be refused. */
function findOne({ audit }: TestCore, query: AuditQuery) {
  const page = reading.then(() => audit.find(query));
  reading = page.catch(() => undefined);
  return page;
}

async function raceOne(core: TestCore, user: User, end: End, verify: Verify): Promise<Accepted> {
  await core.users.setStatus(core.administrator, user.id, "enabled");
  const code = await core.issue(user.id);
  const { codeId } = await core.codes.access(user.id);
  const { cursor } = await findOne(core, { last: 1 });
  const racing = Array.from({ length: 3 }, async (_, i) => {
    await turns(i * 2);
    return verify(user, code);
  });
  await turns(Math.floor(Math.random() * 7));
  await ends[end].run(core, user);
  const late = [await verify(user, code)];
  const accepted = (await Promise.all(racing)).filter(Boolean).length;

  const { events } = await findOne(core, { after: cursor, userId: user.id, limit: 100 });
  const place = events.findIndex(({ action }) => action === ends[end].action);
  const behind = events.slice(place).filter(({ action, outcome, details }) => {
    return action === "emergency_code.verified" && outcome === "success" && details.codeId === codeId;
  });
  return {
    racing: accepted,
    refusedRacing: racing.length - accepted,
    afterAcknowledgement: late.filter(Boolean).length,
    afterRecord: behind.length,
  };
}

async function turns(count: number) {
  for (let i = 0; i < count; i++) await nextTurn();
}

async function issueAtOnce(core: TestCore, username: string) {
  const { id } = await core.createUser(username);
  const issued = await Promise.all(Array.from({ length: 8 }, () => core.codes.issue(core.administrator, id, {})));
  const { codeId } = await core.codes.access(id);
  let codesThatWork = 0;
  for (const { code } of issued) if (await core.verify(username, code)) codesThatWork++;
  return { codesThatWork, currentOnes: issued.filter((code) => code.id === codeId).length };
}
