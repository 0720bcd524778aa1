import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { AuditRecord } from "../audit/canonical.ts";
import { Refusal } from "../platform/refusal.ts";
import { AccessModel } from "../testing/access-model.ts";
import { startCore, type TestCore } from "../testing/core.ts";
import { createNaiveVerification } from "../testing/naive-verification.ts";
import { answerRunner, inThread, isTestRunner } from "../testing/thread.ts";

const callers = 48;
const users = 6;

/** What a storm of calls came to, and what of it cannot be explained by any order of the calls. */
interface Storm {
  accepted: number;
  counted: number;
  locks: number;
  /** Records that no order of events explains. */
  impossible: string[];
  /** Calls that were answered otherwise than recorded. */
  answeredOtherwise: number;
  /** Records that stand before the record of a call that had ended before theirs began. */
  outOfOrder: number;
  /** Rows that are not what the record makes of them. */
  rowsThatDiffer: number;
}

if (isTestRunner) {
  describe("a storm of calls about few users", () => {
    const storms = inThread<{ real: Storm; naive: Storm }>(import.meta.url);

    it("comes to what the same calls one after another would, in the order of the record", async () => {
      const { accepted, counted, locks, ...wrongs } = (await storms).real;
      assert.deepEqual(wrongs, { impossible: [], answeredOtherwise: 0, outOfOrder: 0, rowsThatDiffer: 0 });
      // The storm reached every corner: uses, guesses and locks.
      assert.ok(
        accepted > 100 && counted > 100 && locks > 10,
        `${accepted} accepted, ${counted} counted, ${locks} locks`,
      );
    });

    it("control: holds uses that no order explains when verification reads, decides and then writes", async () => {
      const { impossible } = (await storms).naive;
      assert.ok(impossible.some((violation) => violation.startsWith("accepted although")));
    });
  });
} else {
  answerRunner({ real: await runStorm({ calls: 8_000 }), naive: await runStorm({ calls: 1_000, naively: true }) });
}

async function runStorm({ calls, naively = false }: { calls: number; naively?: boolean }): Promise<Storm> {
  const core = await startCore();
  const lockout = { tries: 5, lockMinutes: 30 };
  await core.changeSettings((settings) => Object.assign(settings.lockout, lockout));
  const { version: settingsVersion } = await core.settings.latest();
  const names = Array.from({ length: users }, (_, i) => `user.${i}`);
  const people = await Promise.all(names.map((name) => core.createUser(name)));
  const naive = naively ? await createNaiveVerification(core) : undefined;
  const seen = new Map<string, { startedAt: number; endedAt: number; accepted?: boolean | undefined }>();
  const codes = new Map<string, string[]>();
  let now = 0;

  async function act(requestId: string): Promise<boolean | undefined> {
    const { id, username } = people[Math.floor(Math.random() * users)] ?? assert.fail();
    const administrator = { ...core.administrator, requestId };
    const client = { ...core.client, requestId };
    const known = codes.get(id) ?? [];
    const verify = async (code: string) =>
      naive ? naive(id, code, client) : (await core.codes.verify(client, { user: username, code })).accepted;
    const dice = Math.random() * 100;
    if (dice < 45) return verify(known.at(-1) ?? "00000000000");
    if (dice < 50) return verify(known.at(-2) ?? "00000000000");
    if (dice < 72) return verify("00000000000");
    if (dice < 82) {
      const { code } = await core.codes.issue(administrator, id, { oneTime: Math.random() < 0.5 });
      codes.set(id, [...known.slice(-1), code]);
    } else if (dice < 85) await core.codes.revoke(administrator, id);
    else if (dice < 87) await core.users.setStatus(administrator, id, "disabled");
    else if (dice < 92) await core.users.setStatus(administrator, id, "enabled");
    else if (dice < 97) await core.codes.unlock(administrator, id);
    else if (dice < 98)
      await core.changeSettings((settings) =>
        Object.assign(settings.lockout, { tries: 2 + Math.floor(Math.random() * 6) }),
      );
    else {
      // On a turn of its own, so that the clock does not move in the middle of a unit of work.
      await nextTurn();
      core.clock.advance(Math.random() * 40 * 60_000);
    }
    return undefined;
  }

  async function callOnAndOn() {
    while (seen.size < calls) {
      const requestId = `request ${seen.size}`;
      const call = { startedAt: now++, endedAt: Number.POSITIVE_INFINITY, accepted: undefined as boolean | undefined };
      seen.set(requestId, call);
      try {
        call.accepted = await act(requestId);
      } catch (error) {
        // A disabled user gets no code, and of two who change the settings one is told to read them again.
        if (!(error instanceof Refusal)) throw error;
      }
      call.endedAt = now++;
    }
  }
  await Promise.all(Array.from({ length: callers }, callOnAndOn));

  const rows = await core.db.read.selectFrom("audit_events").select("canonical").orderBy("sequence").execute();
  const records = rows.map(({ canonical }) => JSON.parse(canonical) as AuditRecord);
  const model = new AccessModel(lockout, settingsVersion);
  for (const record of records) model.replay(record);
  const verified = records.filter(({ action }) => action === "emergency_code.verified");
  const answers = verified.filter(
    ({ request, outcome }) => seen.get(request ?? "")?.accepted !== (outcome === "success"),
  );
  const storm: Storm = {
    accepted: verified.filter(({ outcome }) => outcome === "success").length,
    counted: verified.filter(({ reason }) => reason === "wrong_code").length,
    locks: records.filter(({ action }) => action === "emergency_access.locked").length,
    impossible: model.violations.slice(0, 20),
    answeredOtherwise: answers.length,
    outOfOrder: countOutOfOrder(records.flatMap(({ request }) => seen.get(request ?? "") ?? [])),
    rowsThatDiffer: await countRowsThatDiffer(core, model),
  };
  await core.close();
  return storm;
}

function countOutOfOrder(inOrder: { startedAt: number; endedAt: number }[]): number {
  let latestStart = 0;
  let count = 0;
  for (const { startedAt, endedAt } of inOrder) {
    if (endedAt < latestStart) count++;
    latestStart = Math.max(latestStart, startedAt);
  }
  return count;
}

async function countRowsThatDiffer({ db }: TestCore, model: AccessModel): Promise<number> {
  const rows = await db.read.selectFrom("emergency_access").selectAll().execute();
  assert.equal(rows.length, model.users.size);
  return rows.filter((row) => {
    const user = model.users.get(row.user_id);
    const expected = [
      user?.enabled ? 1 : 0,
      user?.code?.id ?? null,
      user?.code?.status ?? null,
      user?.tries,
      user?.failures,
      user?.lockedUntil,
    ];
    const { user_enabled, code_id, status, tries, failures, locked_until } = row;
    return JSON.stringify([user_enabled, code_id, status, tries, failures, locked_until]) !== JSON.stringify(expected);
  }).length;
}
