/** PostgreSQL that is gone, hangs, lags or holds its locks: 503 in time, the reason in a word, and back by itself. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "../../packages/server/src/testing/postgres/databases.ts";
import { startTcpProxy, type TcpProxy } from "../../packages/server/src/testing/tcp-proxy.ts";
import { type ApiCaller, createApiCaller } from "../api-caller.ts";
import { type ServerProcess, startServer } from "../server-process.ts";
import { assertBounded, everyKind, kinds, type Prepared, prepare, slackMs, type Timed, timed } from "./calls.ts";
import { createOnPostgres, type InstallationOnPostgres } from "./on-postgres.ts";

/** Long enough that no lease from before is left. */
const faultMs = 4_000;
const everyMs = 250;
const recoverWithinMs = 20_000;

let made: InstallationOnPostgres;
let proxy: TcpProxy;
let server: ServerProcess;
let caller: ApiCaller;
let prepared: Prepared;
before(async () => {
  made = await createOnPostgres();
  proxy = await startTcpProxy(Number(new URL(made.url).port));
  server = await startServer(made.dataDir, { ...made.env(proxy.through(made.url)), SPAREKEY_DRAIN_SECONDS: "0" });
  caller = createApiCaller(server.url, made);
  prepared = await prepare(caller);
});
after(async () => {
  proxy.onClientData = () => "forward";
  proxy.release();
  await server?.stop("SIGKILL");
  await proxy?.close();
  await made?.drop();
});

/** Calls of every kind for as long as the fault lasts. */
async function callDuringFault(): Promise<{ calls: Timed[]; readiness: Timed[] }> {
  const calls: Promise<Timed>[] = [];
  const readiness: Promise<Timed>[] = [];
  for (let sinceMs = 0; sinceMs < faultMs; sinceMs += everyMs) {
    calls.push(...everyKind(caller, prepared));
    readiness.push(timed("readyz", () => caller.call("GET", "/readyz")));
    await delay(everyMs);
  }
  return { calls: await Promise.all(calls), readiness: await Promise.all(readiness) };
}

async function recovered() {
  const endMs = performance.now() + recoverWithinMs;
  while (true) {
    const answers = await Promise.all([...everyKind(caller, prepared), timed("", () => caller.call("GET", "/readyz"))]);
    if (answers.every(({ answer }) => answer.status === 200)) return;
    assert.ok(performance.now() < endMs, answers.map(({ answer }) => answer.text).join("\n"));
    await delay(200);
  }
}

function reasonsOf(readiness: Timed[]): Set<string> {
  for (const { ms } of readiness) assert.ok(ms < 1_000 + slackMs, `/readyz took ${ms} ms`);
  return new Set(readiness.map(({ answer }) => answer.body.reason ?? "ready"));
}

const faults: [string, () => void, () => void][] = [
  [
    "is gone",
    () => {
      proxy.onClientData = () => "cut";
      proxy.cut();
    },
    () => {
      proxy.onClientData = () => "forward";
    },
  ],
  ["does not answer", () => proxy.hold(), () => proxy.release()],
];

for (const [name, begin, end] of faults) {
  test(`while the database ${name}: 503 within two seconds, not ready within one, and all is well afterwards`, async () => {
    begin();
    const { calls, readiness } = await callDuringFault();
    end();
    for (const call of calls) assertBounded(call);
    for (const { name: kind, answer } of calls.slice(-kinds)) assert.equal(answer.status, 503, kind);
    assert.ok(reasonsOf(readiness).has("database"), [...reasonsOf(readiness)].join());
    await recovered();
  });
}

test("while the database takes 300 ms each way: what is answered is answered in time", async () => {
  proxy.delay(300);
  const { calls, readiness } = await callDuringFault();
  proxy.delay(0);
  for (const call of calls) assertBounded(call);
  reasonsOf(readiness);
  await recovered();
});

test("while another session holds the rows: 503 for those, and others are answered", async (t) => {
  const other = await connect(made.superuserUrl);
  t.after(() => other.end());
  await other.query("BEGIN; SELECT * FROM emergency_access FOR UPDATE");
  const { calls, readiness } = await callDuringFault();
  await other.query("ROLLBACK");
  for (const call of calls) assertBounded(call);
  const statusesOf = (kind: string) =>
    new Set(calls.filter(({ name }) => name === kind).map(({ answer }) => answer.status));
  assert.deepEqual(statusesOf("verify"), new Set([503]));
  assert.deepEqual(statusesOf("access"), new Set([200]));
  assert.deepEqual(reasonsOf(readiness), new Set(["ready"]));
  await recovered();
});

test("while another session locks every connection up: 503, and the reason is the database", async (t) => {
  const other = await connect(made.superuserUrl);
  t.after(() => other.end());
  await other.query("BEGIN; LOCK TABLE company, revision, emergency_access, users IN ACCESS EXCLUSIVE MODE");
  const { calls, readiness } = await callDuringFault();
  await other.query("ROLLBACK");
  for (const call of calls) assertBounded(call);
  assert.ok(reasonsOf(readiness).has("database"));
  await recovered();
});
