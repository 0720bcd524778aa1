/** SPAREKEY_HA=required and no standby: nothing is acknowledged that only the primary has. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { query, type TestDatabase } from "../../packages/server/src/testing/postgres/databases.ts";
import { type PostgresPair, startPair } from "../../packages/server/src/testing/postgres/pair.ts";
import type { Answer, ApiCaller } from "../api-caller.ts";
import { type FaultContext, runFaults } from "./fault.ts";
import { type Nodes, quiet, startNodes, until } from "./nodes.ts";
import { byVerify, issue, makeUsers, type NamedUser } from "./ways.ts";

const usersPerRound = 9;

interface Setting extends Nodes {
  pair: PostgresPair;
  database: TestDatabase;
}

async function run(context: FaultContext): Promise<string> {
  const pair = await startPair();
  context.after(() => pair.stop());
  const database = await pair.primary.createDatabase();
  const made = await startNodes(context, database, { env: { SPAREKEY_HA: "required" } });
  const setting: Setting = { ...made, pair, database };
  const rounds = context.share(20);
  const total = { refused: 0, kept: 0 };
  for (let round = 0; round < rounds; round++) {
    for (const [name, fault] of Object.entries({ disconnected, hanging, cancelled })) {
      const users = await makeUsers(made.nodes[0].caller, `${name}.${round}`, usersPerRound);
      const { refused, kept } = await fault(setting, users);
      total.refused += refused;
      total.kept += kept;
      await assertRecovered(setting, users);
    }
    context.tell(`${round + 1} rounds`);
  }
  return `${rounds} of each: ${total.refused} calls, all 503; ${total.kept} of them were kept by the primary all the same`;
}

/** The primary knows that it is alone. */
async function disconnected(setting: Setting, users: NamedUser[]) {
  const { pair, nodes, ready } = setting;
  await pair.disconnectStandby();
  const answers = await Promise.all(issueEverywhere(setting, users));
  await until("every node says what is wrong", async () => {
    const seen = await Promise.all(nodes.map(({ caller }) => caller.call("GET", "/readyz")));
    return seen.every(({ status, body }) => status === 503 && body.reason === "standby");
  });
  answers.push(...(await Promise.all(issueEverywhere(setting, users))));
  const counted = await assertRefused(setting, users, answers);
  await pair.reconnectStandby();
  await ready();
  return counted;
}

/** The primary does not know, and waits. */
async function hanging(setting: Setting, users: NamedUser[]) {
  await setting.pair.standby.pause();
  const answers = await Promise.all(issueEverywhere(setting, users));
  const counted = await assertRefused(setting, users, answers);
  await setting.pair.standby.resume();
  return counted;
}

/** The wait is cancelled over and over, also the one of who asks what became of the commit. */
async function cancelled(setting: Setting, users: NamedUser[]) {
  const { pair, ready } = setting;
  await pair.disconnectStandby();
  let isOver = false;
  const answered = Promise.all(issueEverywhere(setting, users)).finally(() => {
    isOver = true;
  });
  let stopped = 0;
  while (!isOver) {
    const sql = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    stopped += (await pair.primary.query(sql)).length;
    await delay(10);
  }
  assert.ok(stopped > 0, "no commit waited for the standby");
  const counted = await assertRefused(setting, users, await answered);
  assert.ok(counted.kept > 0, "no commit was kept without its standby: nothing was tried");
  await pair.reconnectStandby();
  await ready();
  return counted;
}

function issueEverywhere({ nodes }: Setting, users: NamedUser[]): Promise<Answer>[] {
  return users.map(({ id }, n) => {
    const { caller } = nodes[n % 3] as (typeof nodes)[0];
    return caller.admin("POST", `/api/v1/users/${id}/emergency-code`, {});
  });
}

/** Every answer is 503, whatever the primary has kept. */
async function assertRefused({ pair, database }: Setting, users: NamedUser[], answers: Answer[]) {
  for (const { status, headers, text } of answers) {
    assert.equal(status, 503, `acknowledged without a standby: ${status} ${text}`);
    assert.ok(Number(headers.get("retry-after")) >= 1, "503 without Retry-After");
  }
  const kept = await query(
    pair.primary.sameDatabase(database).superuserUrl,
    "SELECT user_id FROM emergency_access WHERE status = 'active' AND user_id = ANY($1)",
    [users.map(({ id }) => id)],
  );
  return { refused: answers.length, kept: kept.length };
}

/** Every user can have a code and use it, on every node. */
async function assertRecovered({ nodes, database, ready }: Setting, users: NamedUser[]) {
  await quiet(database);
  await ready();
  const callers: ApiCaller[] = nodes.map(({ caller }) => caller);
  await Promise.all(
    users.map(async ({ id, username }, n) => {
      const code = await issue(callers[n % 3] as ApiCaller, id);
      assert.ok(
        await byVerify(callers[(n + 1) % 3] as ApiCaller, username, code),
        `${username} has a code that does not work`,
      );
    }),
  );
}

await runFaults({
  name: "standby-lost",
  fault: "the standby is disconnected, hangs, or a commit is told to stop waiting for it; SPAREKEY_HA=required",
  holds: "503 and nothing acknowledged; not ready where the primary knows; all recovers when the standby is back",
  bar: "20 of each",
  run,
});
