/** A code that is ended on one node while it is used on another: never a success after the acknowledgement. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { query, type TestDatabase } from "../../packages/server/src/testing/postgres/databases.ts";
import { startPostgres } from "../../packages/server/src/testing/postgres/server.ts";
import type { ApiCaller } from "../api-caller.ts";
import { type FaultContext, runFaults } from "./fault.ts";
import { startNodes } from "./nodes.ts";
import { byInitialize, byVerify, insist, issue, makeUsers, type NamedUser } from "./ways.ts";

const fullPairs = 100_000;
/** At less than full scale, what fits into this time. */
const withinMs = 40_000;
const lanes = 12;
/** A node samples the database's time by questions that take half a second at most, and takes their middle. */
const skewMs = 250;

/** The nodes in this pair's order: what one begins, others see. */
type Trio = [ApiCaller, ApiCaller, ApiCaller];
type Pair = (trio: Trio, user: NamedUser, database: TestDatabase) => Promise<void>;

const pairs: Record<string, Pair> = {
  revoke: async ([a, b, c], user) => {
    const code = await issue(c, user.id);
    const revoked = insist(() => b.admin("DELETE", `/api/v1/users/${user.id}/emergency-code`));
    await Promise.all([byVerify(a, user.username, code), revoked.then(() => assertRefused([a, c], user, code))]);
  },
  disable: async ([a, b, c], user) => {
    const code = await issue(c, user.id);
    const disabled = setStatus(b, user, "Disabled");
    await Promise.all([byInitialize(a, user.username, code), disabled.then(() => assertRefused([a, c], user, code))]);
    await setStatus(a, user, "Enabled");
  },
  reissue: async ([a, b, c], user) => {
    const old = await issue(c, user.id);
    const reissued = issue(b, user.id);
    await Promise.all([byVerify(a, user.username, old), reissued.then(() => assertRefused([a, c], user, old))]);
    assert.ok(await byVerify(a, user.username, await reissued), "the new code was refused");
  },
  "issue twice": async ([a, b, c], user) => {
    const codes = await Promise.all([issue(a, user.id), issue(b, user.id)]);
    const works: boolean[] = [];
    for (const code of codes) works.push(await byVerify(c, user.username, code));
    assert.deepEqual(works.toSorted(), [false, true], "not exactly one of two codes works");
  },
  expiry: async (trio, user, database) => {
    const code = await issue(trio[0], user.id);
    const endsMs = Date.now() + 150;
    await setEnd(database, user, new Date(endsMs).toISOString());
    while (Date.now() < endsMs + skewMs) await Promise.all(trio.map((node) => byVerify(node, user.username, code)));
    await assertRefused(trio, user, code);
  },
};

async function run(context: FaultContext): Promise<string> {
  const server = await startPostgres();
  context.after(() => server.stop());
  const database = await server.createDatabase();
  const { nodes } = await startNodes(context, database);
  const [a, b, c] = nodes.map(({ caller }) => caller) as Trio;
  const orders: Trio[] = [
    [a, b, c],
    [b, c, a],
    [c, a, b],
  ];
  const users = await makeUsers(a, "ended", lanes);

  const kinds = Object.keys(pairs);
  const counts = new Map(kinds.map((kind) => [kind, 0]));
  const endMs = context.scale < 1 ? performance.now() + withinMs : Number.POSITIVE_INFINITY;
  let begun = 0;
  await Promise.all(
    users.map(async (user) => {
      while (begun < fullPairs && performance.now() < endMs) {
        begun += 1;
        if (begun % 1_000 === 0) context.tell(`${begun} pairs`);
        const kind = kinds[Math.floor(context.chance() * kinds.length)] ?? "revoke";
        const order = orders[Math.floor(context.chance() * orders.length)] ?? orders[0];
        await pairs[kind]?.(order as Trio, user, database);
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
      }
    }),
  );

  await assert.rejects(withoutEnding([a, b, c], users[0] as NamedUser), /was accepted/);
  const parts = [...counts].map(([kind, count]) => `${kind} ${count}`).join(", ");
  return `${begun} pairs (${parts}): 0 successes after; control: a code that nobody ended is found to work`;
}

async function assertRefused(callers: ApiCaller[], user: NamedUser, code: string) {
  const accepted = await Promise.all(callers.map((caller) => byVerify(caller, user.username, code)));
  assert.ok(!accepted.includes(true), `${user.username}: a code that was ended was accepted`);
}

async function withoutEnding(trio: Trio, user: NamedUser) {
  await assertRefused(trio, user, await issue(trio[0], user.id));
}

function setStatus({ admin }: ApiCaller, { id }: NamedUser, userStatus: "Disabled" | "Enabled") {
  return insist(() => admin("PUT", `/AdminInterface/restapi/v1/users/${id}/userStatus`, { userStatus }));
}

/** Lifetimes are whole minutes; a test does not wait for one. */
async function setEnd({ superuserUrl }: TestDatabase, { id }: NamedUser, endsAt: string) {
  await query(superuserUrl, "UPDATE emergency_access SET expires_at = $1 WHERE user_id = $2", [endsAt, id]);
  await delay(0);
}

await runFaults({
  name: "ended",
  fault: "verification against revocation, disabling, expiry and another issue, on different nodes",
  holds: "after the acknowledgement never a success, one active code",
  bar: "100,000 pairs",
  run,
});
