/** The primary dies and its standby takes over, under load: with a synchronous standby nothing is lost. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { TestDatabase } from "../../packages/server/src/testing/postgres/databases.ts";
import { type PostgresPair, startPair } from "../../packages/server/src/testing/postgres/pair.ts";
import { startTcpProxy, type TcpProxy } from "../../packages/server/src/testing/tcp-proxy.ts";
import { checkEverything, checkSinceLastTime } from "../crash/check.ts";
import type { Ledger } from "../crash/ledger.ts";
import { type FaultContext, runFaults } from "./fault.ts";
import { type Nodes, quiet, startNodes, until } from "./nodes.ts";
import { SettingsWatch } from "./settings-watch.ts";
import { makeLedger, type SteadyLoad, startSteadyLoad } from "./steady-load.ts";

const workers = 12;

interface Setting extends Nodes {
  pair: PostgresPair;
  proxy: TcpProxy;
  database: TestDatabase;
  ledger: Ledger;
  load: SteadyLoad;
}

async function start(context: FaultContext, ha: "required" | "off"): Promise<Setting> {
  const pair = await startPair();
  context.after(() => pair.stop());
  if (ha === "off") await requireNothing(pair);
  const database = await pair.primary.createDatabase();
  // As an address that moves to whoever is the primary.
  const proxy = await startTcpProxy(pair.primary.port);
  context.after(() => proxy.close());
  const made = await startNodes(context, database, { env: { SPAREKEY_HA: ha }, way: (url) => proxy.through(url) });
  const ledger = await makeLedger(made.nodes[0].caller, workers);
  const load = startSteadyLoad(made.any, ledger, workers, context.chance);
  return { ...made, pair, proxy, database, ledger, load };
}

async function promoteOverAndOver(context: FaultContext): Promise<string> {
  const { nodes, any, ready, pair, proxy, database, ledger, load } = await start(context, "required");
  const settings = new SettingsWatch(any, context.chance);
  const promotions = context.share(100);
  let unanswered = 0;
  for (let round = 1; round <= promotions; round++) {
    const { answered } = load.counts;
    await until("calls are answered", async () => load.counts.answered > answered + workers);
    await delay(context.chance() * 300);
    await pair.primary.kill9();
    const primary = await pair.promote();
    proxy.targetPort = primary.port;
    await pair.renewStandby();
    await ready();

    await Promise.all([load.pause(), settings.pause()]);
    await quiet(primary.sameDatabase(database));
    const checked = await checkSinceLastTime(nodes[0].caller, ledger);
    assert.deepEqual([...checked.findings, ...load.findings, ...settings.findings], []);
    await settings.check(nodes.map(({ caller }) => caller));
    unanswered += checked.unanswered;
    load.resume();
    settings.resume();
    context.tell(`${round} promotions, ${load.counts.answered} answers`);
  }
  await Promise.all([load.pause(), settings.pause()]);
  assert.deepEqual(await checkEverything(nodes[0].caller, ledger), []);
  const { answered, unavailable } = load.counts;
  return `${promotions} promotions, ${answered} answers and ${settings.acknowledged} settings acknowledged, 0 lost; ${unavailable} times 503, ${unanswered} unanswered calls had happened`;
}

async function promoteStale(context: FaultContext): Promise<string> {
  const { nodes, pair, proxy, database, ledger, load } = await start(context, "off");
  await until("calls are answered", async () => load.counts.answered > 100);
  await pair.disconnectStandby();
  const { answered } = load.counts;
  await until("more calls are answered", async () => load.counts.answered > answered + 100);
  await pair.primary.kill9();
  await load.pause();
  const primary = await pair.promote();
  proxy.targetPort = primary.port;
  await until("the nodes answer, or say that the record went back", async () => {
    const answers = await Promise.all(nodes.map(({ caller }) => caller.call("GET", "/readyz")));
    return answers.every(({ status, body }) => status === 200 || body.reason === "rollback");
  });
  await quiet(primary.sameDatabase(database));
  const findings = await checkSinceLastTime(nodes[0].caller, ledger).then(
    (checked) => checked.findings,
    (error: unknown) => {
      // The nodes keep a mark of the record and may be quicker than we are to see that it went back.
      if (/"reason":"rollback"/.test(String(error))) return undefined;
      throw error;
    },
  );
  if (findings === undefined)
    return "acknowledged answers were lost: every node noticed by itself, and answers nothing";
  const records = findings.filter((finding) => finding.startsWith("no record of")).length;
  const states = findings.filter((finding) => finding.startsWith("fault.user")).length;
  assert.ok(records > 0 && states > 0, `lost answers were not noticed: ${findings.length} findings`);
  return `${records} records and ${states} states that were acknowledged were lost, and found missing`;
}

async function requireNothing(pair: PostgresPair) {
  for (const server of [pair.primary, pair.standby]) {
    await server.query("ALTER SYSTEM SET synchronous_standby_names = ''");
    await server.query("SELECT pg_reload_conf()");
  }
}

await runFaults(
  {
    name: "promotion",
    fault: "kill -9 of the primary and promotion of its synchronous standby, SPAREKEY_HA=required, under load",
    holds: "nothing acknowledged is lost, no used code lives again",
    bar: "100 promotions, 0 lost",
    run: promoteOverAndOver,
  },
  {
    name: "promotion-control",
    fault: "the same with an asynchronous standby that is behind",
    holds: "the loss is found: the test can see it",
    bar: "1 promotion",
    run: promoteStale,
  },
);
