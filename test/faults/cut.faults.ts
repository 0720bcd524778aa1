/**
 * The connection between a node and PostgreSQL is cut at every point around every statement and every COMMIT: what
 * was answered holds, what was answered 503 happened or not, and a retry on another node tells the truth.
 */
import assert from "node:assert/strict";
import { query, type TestDatabase } from "../../packages/server/src/testing/postgres/databases.ts";
import { startPostgres } from "../../packages/server/src/testing/postgres/server.ts";
import { startTcpProxy, type TcpProxy } from "../../packages/server/src/testing/tcp-proxy.ts";
import type { Answer, ApiCaller } from "../api-caller.ts";
import { type FaultContext, runFaults } from "./fault.ts";
import { type FaultNode, quiet, startNodes } from "./nodes.ts";
import { byVerify, insist, issue, makeUsers, type NamedUser, wrongCode } from "./ways.ts";

/** How often each call is watched to see how many messages it exchanges with the database. */
const watched = 5;
/** Rounds of all points at full scale: what else is under way differs from one to the next. */
const fullRounds = 10;

/** What becomes of the message that is cut. Half a message is told by its length. */
const cuts: Record<string, (proxy: TcpProxy, at: number) => () => boolean> = {
  "before a request": (proxy, at) => cutRequest(proxy, at, () => "cut"),
  "after a byte of a request": (proxy, at) => cutRequest(proxy, at, () => 1),
  "in the middle of a request": (proxy, at) => cutRequest(proxy, at, (length) => length >> 1),
  "before the last byte of a request": (proxy, at) => cutRequest(proxy, at, (length) => length - 1),
  "after a request was carried out": (proxy, at) => cutRequest(proxy, at, () => "forward-then-cut"),
  "after a byte of an answer": (proxy, at) => cutAnswer(proxy, at, () => 1),
  "before the last byte of an answer": (proxy, at) => cutAnswer(proxy, at, (length) => length - 1),
};

function cutRequest(proxy: TcpProxy, at: number, verdict: (length: number) => "cut" | "forward-then-cut" | number) {
  let seen = 0;
  proxy.onClientData = ({ length }) => (seen++ === at ? verdict(length) : "forward");
  return () => seen > at;
}

function cutAnswer(proxy: TcpProxy, at: number, verdict: (length: number) => number) {
  let seen = 0;
  proxy.onServerData = ({ length }) => (seen++ === at ? verdict(length) : "forward");
  return () => seen > at;
}

interface Setting {
  /** Whose connections are cut. */
  cut: ApiCaller;
  /** Who tells the truth. */
  other: ApiCaller;
  database: TestDatabase;
}

interface Trial {
  call(caller: ApiCaller): Promise<Answer>;
  /** Throws when what was answered is not so, or what happened makes no sense. `answer` may be 503. */
  check(answer: Answer): Promise<void>;
}

const access = async ({ other }: Setting, { id }: NamedUser) =>
  (await insist(() => other.admin("GET", `/api/v1/users/${id}/emergency-access`))).body;

const countRecords = async ({ database }: Setting, { id }: NamedUser, action: string): Promise<number> => {
  const sql = "SELECT count(*)::int AS count FROM audit_events WHERE user_id = $1 AND action = $2";
  const [row] = await query<{ count: number }>(database.superuserUrl, sql, [id, action]);
  return row?.count ?? 0;
};

let keys = 0;

/** One of each kind of call: what it is to begin with, what is called, and how it is looked at afterwards. */
const trials: Record<string, (setting: Setting, user: NamedUser) => Promise<Trial>> = {
  "issue with a key": async (setting, user) => {
    const before = await countRecords(setting, user, "emergency_code.issued");
    const key = `fault-suite-key-${process.pid}-${keys++}`;
    const call = ({ admin }: ApiCaller) =>
      admin("POST", `/api/v1/users/${user.id}/emergency-code`, {}, { "idempotency-key": key });
    return {
      call,
      check: async (answer) => {
        const retry = await insist(() => call(setting.other));
        if (answer.status === 200)
          assert.deepEqual([retry.body.code, retry.body.id], [answer.body.code, answer.body.id]);
        assert.ok(await byVerify(setting.other, user.username, retry.body.code), "the code of the retry does not work");
        const issued = (await countRecords(setting, user, "emergency_code.issued")) - before;
        assert.equal(issued, 1, `one key issued ${issued} codes`);
      },
    };
  },
  issue: async (setting, user) => {
    const old = await issue(setting.other, user.id);
    const { codeId } = await access(setting, user);
    return {
      call: ({ admin }) => admin("POST", `/api/v1/users/${user.id}/emergency-code`, {}),
      check: async (answer) => {
        const isNew = (await access(setting, user)).codeId !== codeId;
        if (answer.status === 200) assert.ok(isNew, "an acknowledged code is not there");
        assert.equal(await byVerify(setting.other, user.username, old), !isNew, "the code before");
        if (answer.status === 200) assert.ok(await byVerify(setting.other, user.username, answer.body.code));
      },
    };
  },
  "verify a one-time code": async (setting, user) => {
    const code = await issue(setting.other, user.id, true);
    const before = await countRecords(setting, user, "emergency_code.verified");
    return {
      call: ({ client }) => client("POST", "/api/v1/verify", { user: user.username, code }),
      check: async (answer) => {
        const { status } = await access(setting, user);
        const recorded = (await countRecords(setting, user, "emergency_code.verified")) - before;
        assert.equal(recorded, status === "consumed" ? 1 : 0, "the record and the code differ");
        if (answer.status === 200) assert.deepEqual([answer.body.accepted, status], [true, "consumed"]);
        assert.equal(await byVerify(setting.other, user.username, code), status === "active", "the retry");
      },
    };
  },
  "verify in an attempt": async (setting, user) => {
    const code = await issue(setting.other, user.id, true);
    const credentials = [
      { methodId: "EMERGENCY_TOKENCODE", collectedInputs: [{ name: "EMERGENCY_TOKENCODE", value: code }] },
    ];
    const request = { subjectName: user.username, context: { messageId: "m" }, subjectCredentials: credentials };
    return {
      call: ({ client }) => client("POST", "/mfa/v1_1/authn/initialize", request),
      check: async (answer) => {
        const { status } = await access(setting, user);
        if (answer.status === 200) assert.deepEqual([answer.body.attemptResponseCode, status], ["SUCCESS", "consumed"]);
        assert.equal(await byVerify(setting.other, user.username, code), status === "active", "the retry");
      },
    };
  },
  "guess wrong": async (setting, user) => {
    await issue(setting.other, user.id);
    const { failures } = await access(setting, user);
    return {
      call: ({ client }) => client("POST", "/api/v1/verify", { user: user.username, code: wrongCode }),
      check: async (answer) => {
        const counted = (await access(setting, user)).failures - failures;
        if (answer.status === 200) assert.deepEqual([answer.body.accepted, counted], [false, 1]);
        assert.ok(counted <= 1, `one guess counted ${counted} times`);
        // So that no lock comes in the way of those that follow.
        await insist(() =>
          setting.other.admin("PATCH", `/AdminInterface/restapi/v1/users/${user.id}/methods`, {
            unlockMethods: ["EMERGENCY_TOKENCODE"],
          }),
        );
      },
    };
  },
  revoke: async (setting, user) => {
    const code = await issue(setting.other, user.id);
    return {
      call: ({ admin }) => admin("DELETE", `/api/v1/users/${user.id}/emergency-code`),
      check: async (answer) => {
        const { status } = await access(setting, user);
        if (answer.status === 204) assert.equal(status, "revoked", "an acknowledged revocation is not there");
        assert.equal(await byVerify(setting.other, user.username, code), status === "active", "the code");
      },
    };
  },
  disable: async (setting, user) => {
    const code = await issue(setting.other, user.id);
    const set = ({ admin }: ApiCaller, userStatus: string) =>
      admin("PUT", `/AdminInterface/restapi/v1/users/${user.id}/userStatus`, { userStatus });
    return {
      call: (caller) => set(caller, "Disabled"),
      check: async (answer) => {
        const { userStatus } = await access(setting, user);
        if (answer.status === 200) assert.equal(userStatus, "disabled", "an acknowledged disabling is not there");
        assert.equal(await byVerify(setting.other, user.username, code), userStatus === "enabled", "the code");
        await insist(() => set(setting.other, "Enabled"));
      },
    };
  },
};

/** One point: where which message of which call is cut. */
interface Point {
  trial: string;
  cut: string;
  at: number;
}

async function run(context: FaultContext): Promise<string> {
  const server = await startPostgres();
  context.after(() => server.stop());
  const database = await server.createDatabase();
  const proxy = await startTcpProxy(server.port);
  context.after(() => proxy.close());
  const way = (url: string, n: number) => (n === 0 ? proxy.through(url) : url);
  const { nodes } = await startNodes(context, database, { count: 2, way });
  const [cutNode, otherNode] = nodes as unknown as [FaultNode, FaultNode];
  const setting = { cut: cutNode.caller, other: otherNode.caller, database };
  const users = await makeUsers(setting.other, "cut", 20);
  const points = choosePoints(context, await countMessages(setting, proxy, users[0] as NamedUser));
  const count = { cut: 0, answered: 0, unavailable: 0 };
  for (const [n, point] of points.entries()) {
    const user = users[n % users.length] as NamedUser;
    const trial = await (trials[point.trial] as (typeof trials)[string])(setting, user);
    // Connections and their statements are there, as in a node that has run for a while.
    await insist(() => setting.cut.client("POST", "/api/v1/verify", { user: "nobody", code: wrongCode }));
    const wasCut = (cuts[point.cut] as (typeof cuts)[string])(proxy, point.at);
    const answer = await trial.call(setting.cut);
    if (wasCut()) count.cut += 1;
    proxy.onClientData = () => "forward";
    proxy.onServerData = () => "forward";
    const where = `${point.trial}, cut ${point.cut} ${point.at}: ${answer.status} ${answer.text}`;
    if (answer.status === 503) count.unavailable += 1;
    else if (answer.status < 300) count.answered += 1;
    else assert.fail(where);
    await quiet(database);
    await trial.check(answer).catch((error: Error) => assert.fail(`${where}: ${error.message}`));
    if ((n + 1) % 50 === 0) context.tell(`${n + 1} points`);
  }
  assert.ok(count.cut >= points.length / 4, `only ${count.cut} of ${points.length} cuts hit anything`);
  assert.ok(count.unavailable > 0 && count.answered > 0, JSON.stringify(count));
  return `${points.length} points, ${count.cut} of them hit: ${count.answered} answered and true, ${count.unavailable} times 503 and a retry told the truth`;
}

/** How many messages each call sends at most. */
async function countMessages(setting: Setting, proxy: TcpProxy, user: NamedUser): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const [name, prepare] of Object.entries(trials)) {
    for (let n = 0; n < watched; n++) {
      const trial = await prepare(setting, user);
      let messages = 0;
      proxy.onClientData = () => {
        messages += 1;
        return "forward";
      };
      const answer = await trial.call(setting.cut);
      proxy.onClientData = () => "forward";
      await trial.check(answer);
      counts.set(name, Math.max(counts.get(name) ?? 0, messages));
    }
  }
  return counts;
}

/** Every point at full scale, over and over; at less, so many of them by chance. */
function choosePoints({ share, chance, tell }: FaultContext, messages: Map<string, number>): Point[] {
  tell(`messages: ${[...messages].map(([name, count]) => `${name} ${count}`).join(", ")}`);
  const all = [...messages].flatMap(([trial, count]) =>
    Object.keys(cuts).flatMap((cut) => Array.from({ length: count }, (_, at): Point => ({ trial, cut, at }))),
  );
  const shuffled = all.map((point) => ({ point, order: chance() })).sort((a, b) => a.order - b.order);
  const count = share(all.length * fullRounds);
  return Array.from({ length: count }, (_, n) => (shuffled[n % shuffled.length] as (typeof shuffled)[0]).point);
}

await runFaults({
  name: "cut",
  fault: "the connection to PostgreSQL is cut at every point around every statement and COMMIT",
  holds: "what was answered is so; after 503 a retry on another node, with its Idempotency-Key, tells the truth",
  bar: "every point of 7 calls, 10 times",
  run,
});
