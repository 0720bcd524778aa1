/** Three nodes on one PostgreSQL are restarted one after another, and nobody who calls them notices. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Answer, type ApiCaller, createApiCaller } from "../api-caller.ts";
import { type ServerProcess, startServer } from "../server-process.ts";
import { type Balancer, startBalancer } from "./balancer.ts";
import { prepare } from "./calls.ts";
import { createOnPostgres, type InstallationOnPostgres } from "./on-postgres.ts";

const nodes = 3;
const workers = 8;
/** The balancer asks ten times a second. */
const env = { SPAREKEY_DRAIN_SECONDS: "2" };

let made: InstallationOnPostgres;
let balancer: Balancer;
const servers: ServerProcess[] = [];
before(async () => {
  made = await createOnPostgres();
  for (let n = 0; n < nodes; n++) servers.push(await start());
  balancer = await startBalancer(servers.map(({ url }) => url));
});
after(async () => {
  balancer?.close();
  await Promise.all(servers.map((server) => server.stop("SIGKILL")));
  await made?.drop();
});

const start = () => startServer(made.dataDir, { ...made.env(), ...env });

interface Load {
  failures: string[];
  /** How often a node said that it was too slow just then, as nodes do on a machine that is busy with other things. */
  toldToComeBack: number;
  /** Request ids of what was acknowledged. */
  acknowledged: string[];
}

/** Issues a code that works once, uses it, and sees it refused, over and over. */
async function work(caller: ApiCaller, n: number, load: Load, isOver: () => boolean) {
  const username = `rolling.${n}`;
  const input = { username, email: `${username}@example.com`, firstName: "Rolling", lastName: "Restart" };
  const { body: user } = await caller.admin("POST", "/api/v1/users", input);
  const expect = async (what: string, call: () => Promise<Answer>, right: (answer: Answer) => boolean) => {
    let answer = await call();
    const late = answer.status === 503 && answer.headers.has("retry-after");
    if (late) {
      load.toldToComeBack++;
      answer = await call();
    }
    // What was told to come back may have been done all the same.
    if (answer.status === 200 && (late || right(answer))) {
      load.acknowledged.push(answer.headers.get("x-request-id") ?? "");
    } else {
      load.failures.push(`${what}: ${answer.status} ${answer.text}`);
    }
    return answer;
  };
  while (!isOver()) {
    const issue = () => caller.admin("POST", `/api/v1/users/${user.id}/emergency-code`, { oneTime: true });
    const { code } = (await expect("issue", issue, () => true)).body ?? {};
    for (const accepted of [true, false]) {
      const verify = () => caller.client("POST", "/api/v1/verify", { user: username, code });
      await expect(`verify, ${accepted}`, verify, ({ body }) => body.accepted === accepted);
    }
  }
}

/** What the record says was called. */
async function recorded({ admin }: ApiCaller): Promise<Set<string>> {
  const requestIds = new Set<string>();
  for (let cursor = 0; ; ) {
    const { body } = await admin("GET", `/api/v1/audit/events?after=${cursor}&limit=1000`);
    if (body.events.length === 0) return requestIds;
    for (const { requestId } of body.events) requestIds.add(requestId);
    cursor = body.cursor;
  }
}

test("a rolling restart under load fails no call and loses no acknowledgement", { timeout: 180_000 }, async (t) => {
  const caller = createApiCaller(balancer.url, made);
  await prepare(caller);
  const load: Load = { failures: [], toldToComeBack: 0, acknowledged: [] };
  let over = false;
  const working = Array.from({ length: workers }, (_, n) => work(caller, n, load, () => over));
  await delay(500);
  for (const [n, node] of balancer.nodes.entries()) {
    const { exitCode } = (await servers[n]?.stop("SIGTERM")) ?? {};
    assert.equal(exitCode, 0);
    const next = await start();
    servers[n] = next;
    node.url = next.url;
    while (!node.ready) await delay(20);
    await delay(500);
  }
  over = true;
  await Promise.all(working);

  t.diagnostic(`${load.acknowledged.length} calls were acknowledged, ${load.toldToComeBack} at the second try`);
  assert.deepEqual(load.failures, []);
  assert.ok(load.toldToComeBack <= load.acknowledged.length / 50, "a restart is no reason to come back");
  assert.ok(load.acknowledged.length > 100, `only ${load.acknowledged.length} calls were made`);
  const found = await recorded(caller);
  assert.deepEqual(
    load.acknowledged.filter((requestId) => !found.has(requestId)),
    [],
  );
});
