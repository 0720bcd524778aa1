/** One code, three nodes, everybody at once. */
import assert from "node:assert/strict";
import { createNaiveVerification } from "../../packages/server/src/testing/naive-verification.ts";
import { query, type TestDatabase } from "../../packages/server/src/testing/postgres/databases.ts";
import { startPostgres } from "../../packages/server/src/testing/postgres/server.ts";
import { changeSettings } from "../api-caller.ts";
import { type FaultContext, runFaults } from "./fault.ts";
import { openInProcess } from "./in-process.ts";
import { type Nodes, startNodes } from "./nodes.ts";
import {
  beginAttempt,
  byAttempt,
  byInitialize,
  byVerify,
  issue,
  makeUsers,
  type NamedUser,
  type Way,
  wrongCode,
} from "./ways.ts";

const attempts = 64;
const guesses = 1_000;
const tries = 10;
/** So many users race at once. */
const lanes = 8;

async function start(context: FaultContext): Promise<Nodes & { database: TestDatabase }> {
  const server = await startPostgres();
  context.after(() => server.stop());
  const database = await server.createDatabase();
  return { ...(await startNodes(context, database)), database };
}

async function oneSuccess(context: FaultContext): Promise<string> {
  const { nodes, installation, database } = await start(context);
  const users = await makeUsers(nodes[0].caller, "one.time", lanes);
  const codes = context.share(10_000);
  let begun = 0;
  await Promise.all(
    users.map(async (user) => {
      while (begun < codes) {
        begun += 1;
        if (begun % 100 === 0) context.tell(`${begun} codes`);
        const accepted = await raceOnce(nodes, user);
        assert.equal(accepted, 1, `${accepted} of ${attempts} attempts with one code were accepted`);
      }
    }),
  );
  const recorded = await countVerified(database, "outcome", "success");
  assert.equal(recorded, codes, "the record tells of other successes");

  const most = await raceNaively(context, { database, installation, user: users[0] as NamedUser, nodes });
  assert.ok(most > 1, "control: a verification that reads, decides and then writes was not caught");
  return `${codes} codes, ${codes * attempts} attempts, 1 success each; control: a naive verification accepted one code ${most} times`;
}

/** How many of the attempts with one code are accepted. */
async function raceOnce(nodes: Nodes["nodes"], user: NamedUser): Promise<number> {
  const code = await issue(nodes[0].caller, user.id, true);
  const ways = await Promise.all(
    Array.from({ length: attempts }, async (_, n): Promise<Way> => {
      if (n % 4 === 3) return beginAttempt(callerOf(nodes, n), user.username);
      return n % 4 === 2 ? byInitialize : byVerify;
    }),
  );
  // Every way over every node: an attempt may be continued on another one than it was begun on.
  const accepted = await Promise.all(ways.map((way, n) => way(callerOf(nodes, n >> 2), user.username, code)));
  return accepted.filter(Boolean).length;
}

async function raceNaively(
  context: FaultContext,
  {
    database,
    installation,
    user,
    nodes,
  }: Pick<Nodes, "installation" | "nodes"> & { database: TestDatabase; user: NamedUser },
): Promise<number> {
  const ways = await Promise.all(
    [1, 2, 3].map(async () => {
      const core = await openInProcess(context, database.appUrl, installation);
      const client = {
        principal: { kind: "authentication_client", id: "control" },
        requestId: "control",
        address: null,
      };
      return createNaiveVerification({ ...core, client: client as never });
    }),
  );
  const code = await issue(nodes[0].caller, user.id, true);
  const accepted = await Promise.all(Array.from({ length: attempts }, (_, n) => ways[n % 3]?.(user.id, code)));
  return accepted.filter(Boolean).length;
}

async function manyGuesses(context: FaultContext): Promise<string> {
  const { nodes, database } = await start(context);
  await changeSettings(nodes[0].caller, { lockout: { tries, lockMinutes: 30 } });
  const users = await makeUsers(nodes[0].caller, "guessed", context.share(10));
  for (const user of users) {
    const code = await issue(nodes[0].caller, user.id);
    const way = (n: number) => [byVerify, byInitialize, byAttempt][n % 3] as Way;
    const typed = Array.from({ length: guesses }, (_, n) => (n >= guesses - 20 && n % 2 === 0 ? code : wrongCode));
    const accepted = await Promise.all(typed.map((one, n) => way(n)(callerOf(nodes, n), user.username, one)));
    assert.deepEqual(new Set(accepted), new Set([false]), "a guess was accepted");
    const counted = await countVerified(database, "reason", "wrong_code", user.id);
    assert.equal(counted, tries, "the record tells of another number of guesses that were answered in truth");
    const { body } = await nodes[1].caller.admin("GET", `/api/v1/users/${user.id}/emergency-access`);
    assert.deepEqual([body.failures, body.locked], [tries, true]);
  }
  // The control: nine guesses leave the code what it was, so that it was the limit which refused it.
  const [other] = await makeUsers(nodes[0].caller, "control", 1);
  const code = await issue(nodes[0].caller, other?.id ?? "");
  for (let n = 0; n < tries - 1; n++) await byVerify(callerOf(nodes, n), "control.0", wrongCode);
  assert.ok(await byVerify(nodes[2].caller, "control.0", code), "control: the right code after nine guesses");
  return `${users.length} users, ${users.length * guesses} guesses: 0 accepted, ${tries} counted each; control: after ${tries - 1} the right code works`;
}

function callerOf(nodes: Nodes["nodes"], n: number) {
  return (nodes[n % nodes.length] ?? nodes[0]).caller;
}

async function countVerified(
  { superuserUrl }: TestDatabase,
  field: string,
  value: string,
  userId?: string,
): Promise<number> {
  const sql = `SELECT count(*)::int AS count FROM audit_events WHERE action = 'emergency_code.verified'
    AND canonical::json ->> $1 = $2 AND ($3::text IS NULL OR user_id = $3)`;
  const [row] = await query<{ count: number }>(superuserUrl, sql, [field, value, userId ?? null]);
  return row?.count ?? 0;
}

await runFaults(
  {
    name: "one-success",
    fault: "64 verifications at once of one one-time code, over 3 nodes, by every path",
    holds: "exactly one success",
    bar: "10,000 codes",
    run: oneSuccess,
  },
  {
    name: "guesses",
    fault: "1,000 guesses at once over nodes, attempts and paths, the right code among the last",
    holds: "refused, and exactly the limit is counted",
    bar: "10 users",
    run: manyGuesses,
  },
);
