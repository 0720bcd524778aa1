/** `kill -9` of nodes at any moment, three of them on one PostgreSQL. The embedded database's is in `test/crash`. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { startPostgres } from "../../packages/server/src/testing/postgres/server.ts";
import { checkEverything, checkSinceLastTime } from "../crash/check.ts";
import type { Ledger } from "../crash/ledger.ts";
import { type FaultContext, runFaults } from "./fault.ts";
import { type FaultNode, type Nodes, quiet, startNodes, until } from "./nodes.ts";
import { SettingsWatch } from "./settings-watch.ts";
import { makeLedger, type SteadyLoad, startSteadyLoad } from "./steady-load.ts";

const workers = 12;
const killsBetweenChecks = 10;

async function run(context: FaultContext): Promise<string> {
  const server = await startPostgres();
  context.after(() => server.stop());
  const database = await server.createDatabase();
  const { nodes, any, ready } = await startNodes(context, database);
  const ledger = await makeLedger(nodes[0].caller, workers);
  const load = startSteadyLoad(any, ledger, workers, context.chance);
  const settings = new SettingsWatch(any, context.chance);

  const kills = context.share(1_000);
  let underWay = 0;
  let unanswered = 0;
  for (let killed = 0; killed < kills; ) {
    const round = Math.min(killsBetweenChecks, kills - killed);
    underWay += await killSome(nodes, { ledger, load, kills: round }, context);
    killed += round;
    await Promise.all([load.pause(), settings.pause()]);
    await ready();
    await quiet(database);
    unanswered += await check(nodes, ledger, load, settings);
    context.tell(`${killed} kills, ${load.counts.answered} answers, ${unanswered} calls came to pass unanswered`);
    load.resume();
    settings.resume();
  }
  await Promise.all([load.pause(), settings.pause()]);
  assert.deepEqual(await checkEverything(nodes[0].caller, ledger), []);
  // Or the kills came when nothing was going on, and this has shown nothing.
  assert.ok(underWay >= kills * 0.5, `only ${underWay} calls were under way at ${kills} kills`);
  assert.ok(load.counts.answered >= kills * 5, `only ${load.counts.answered} answers`);
  return `${kills} kills, ${load.counts.answered} answers and ${settings.acknowledged} settings acknowledged, 0 lost; ${load.counts.unanswered} unanswered, of which ${unanswered} had happened`;
}

/** Kills nodes at chosen moments, all three at their own pace. Answers how many calls had no answer after that. */
async function killSome(
  nodes: Nodes["nodes"],
  { ledger, load, kills }: { ledger: Ledger; load: SteadyLoad; kills: number },
  { chance }: FaultContext,
): Promise<number> {
  const countPending = () => ledger.accounts.filter(({ pending }) => pending !== undefined).length;
  const pendingBefore = countPending();
  let left = kills;
  const killOver = async (node: FaultNode) => {
    while (left > 0) {
      left -= 1;
      // Something has to be going on, or a kill shows nothing.
      const { answered } = load.counts;
      await until("calls are answered", async () => load.counts.answered > answered);
      await delay(chance() * 300);
      await node.kill9();
      await node.start();
    }
  };
  await Promise.all(nodes.map(killOver));
  return countPending() - pendingBefore;
}

async function check(
  nodes: Nodes["nodes"],
  ledger: Ledger,
  load: SteadyLoad,
  settings: SettingsWatch,
): Promise<number> {
  const callers = nodes.map(({ caller }) => caller);
  const { findings, unanswered } = await checkSinceLastTime(callers[0] as never, ledger);
  assert.deepEqual([...findings, ...load.findings, ...settings.findings], []);
  await settings.check(callers);
  return unanswered;
}

await runFaults({
  name: "server-killed",
  fault: "kill -9 of a node at any moment, three nodes under load",
  holds: "every acknowledged issue, verification, revocation and setting survives, with its record",
  bar: "1,000 kills, 0 lost",
  run,
});
