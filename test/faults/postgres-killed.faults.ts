/** `kill -9` of PostgreSQL, which writes everything down before it acknowledges it, under load. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { startPostgres } from "../../packages/server/src/testing/postgres/server.ts";
import { checkEverything, checkSinceLastTime } from "../crash/check.ts";
import { type FaultContext, runFaults } from "./fault.ts";
import { quiet, startNodes, until } from "./nodes.ts";
import { SettingsWatch } from "./settings-watch.ts";
import { makeLedger, startSteadyLoad } from "./steady-load.ts";

const workers = 12;

async function run(context: FaultContext): Promise<string> {
  const server = await startPostgres({ durable: true });
  context.after(() => server.stop());
  const database = await server.createDatabase();
  const { nodes, any, ready } = await startNodes(context, database);
  const ledger = await makeLedger(nodes[0].caller, workers);
  const load = startSteadyLoad(any, ledger, workers, context.chance);
  const settings = new SettingsWatch(any, context.chance);

  const kills = context.share(200);
  let unanswered = 0;
  let recoveryMs = 0;
  for (let killed = 1; killed <= kills; killed++) {
    const { answered, unavailable } = load.counts;
    await until("calls are answered", async () => load.counts.answered > answered + 5 * workers);
    await delay(context.chance() * 300);
    await server.kill9();
    await until("503 is answered", async () => load.counts.unavailable > unavailable);
    await server.start();
    const startedMs = performance.now();
    await ready();
    recoveryMs = Math.max(recoveryMs, performance.now() - startedMs);

    await Promise.all([load.pause(), settings.pause()]);
    await quiet(database);
    const checked = await checkSinceLastTime(nodes[0].caller, ledger);
    assert.deepEqual([...checked.findings, ...load.findings, ...settings.findings], []);
    await settings.check(nodes.map(({ caller }) => caller));
    unanswered += checked.unanswered;
    load.resume();
    settings.resume();
    if (killed % 5 === 0) context.tell(`${killed} kills, ${load.counts.answered} answers`);
  }
  await Promise.all([load.pause(), settings.pause()]);
  assert.deepEqual(await checkEverything(nodes[0].caller, ledger), []);
  assert.ok(load.counts.answered >= kills, `only ${load.counts.answered} answers`);
  const { answered, unavailable } = load.counts;
  return `${kills} kills, ${answered} answers and ${settings.acknowledged} settings acknowledged, 0 lost; ${unavailable} times 503, ${unanswered} of them had happened; ready again within ${Math.ceil(recoveryMs / 1_000)} s`;
}

await runFaults({
  name: "postgres-killed",
  fault: "kill -9 of PostgreSQL under load",
  holds: "acknowledged answers survive; 503 with Retry-After meanwhile; nodes recover by themselves",
  bar: "200 kills, 0 lost",
  run,
});
