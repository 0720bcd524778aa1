/**
 * `kill -9` at any moment loses nothing that was acknowledged.
 *
 * It proves that no answer leaves before its commit. That a commit outlives a power cut is SQLite's promise under
 * `synchronous = FULL`: a killed process leaves the system's own cache intact, so no kill can tell.
 *
 * CRASH_KILLS raises the number of kills, CRASH_SEED replays a run.
 */
import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type ApiCaller, changeSettings, createApiCaller } from "../api-caller.ts";
import {
  copyInstallation,
  createInstallation,
  type Installation,
  type ServerProcess,
  startServer,
} from "../server-process.ts";
import { checkEverything, checkSinceLastTime } from "./check.ts";
import type { Ledger } from "./ledger.ts";
import { type Chance, chanceFrom, profileOf, startLoad } from "./load.ts";

const kills = Number(process.env.CRASH_KILLS ?? 100);
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
/** Start-up is most of the time, so several installations die side by side. */
const lanes = 3;
const workers = 12;
const usersPerWorker = 3;

let original: Installation;
before(async () => {
  original = await createInstallation();
});
after(() => original.remove());

interface Running {
  server: ServerProcess;
  caller: ApiCaller;
}

async function start(made: Installation): Promise<Running> {
  const server = await startServer(made.dataDir);
  return { server, caller: createApiCaller(server.url, made) };
}

/** Users to work on, and settings under which a load of wrong codes locks nobody. */
async function prepare({ caller }: Running): Promise<Ledger> {
  const most = 1_000_000;
  const rateLimits = { administrationPerMinute: most, authenticationPerMinute: most, refusedPerMinute: most };
  await changeSettings(caller, { answerTimeMs: 0, lockout: { tries: 100, lockMinutes: 30 }, rateLimits });
  const profiles = Array.from({ length: workers * usersPerWorker }, (_, n) => profileOf(`crash.user${n}`, "First"));
  const { body } = await caller.admin("POST", "/api/v1/users", profiles);
  const accounts = body.results.map(({ user }: { user: { id: string; username: string } }) => ({
    userId: user.id,
    username: user.username,
    standing: { firstName: "First", failures: 0, status: "none", codeId: null, code: undefined, oneTime: false },
    pending: undefined,
    touched: false,
  }));
  const { cursor } = (await caller.admin("GET", "/api/v1/audit/events?last=1")).body;
  return { accounts, fresh: [], found: [], cursor };
}

/** Loads the server and kills it some moment after the first answer. Answers how many calls it died under. */
async function killUnderLoad({ server, caller }: Running, ledger: Ledger, chance: Chance) {
  const { begun, ended } = startLoad(caller, ledger, workers, chance);
  await Promise.race([begun, ended]);
  await delay(chance() * 150);
  await server.stop("SIGKILL");
  const answered = await ended;
  return { answered, underWay: ledger.accounts.filter(({ pending }) => pending !== undefined).length };
}

test(`${kills} kills under load lose no acknowledged answer`, { timeout: 30 * 60_000 }, async (t) => {
  const total = { kills: 0, hits: 0, answered: 0, underWay: 0, happenedUnanswered: 0 };
  const dieOverAndOver = async (lane: number) => {
    const made = copyInstallation(original);
    t.after(made.remove);
    const chance = chanceFrom(seed + lane);
    let running = await start(made);
    t.after(() => running.server.stop("SIGKILL"));
    const ledger = await prepare(running);
    while (total.kills < kills) {
      total.kills += 1;
      const { answered, underWay } = await killUnderLoad(running, ledger, chance);
      running = await start(made);
      const { findings, unanswered } = await checkSinceLastTime(running.caller, ledger);
      assert.deepEqual(findings, [], `CRASH_SEED=${seed}`);
      total.hits += underWay > 0 ? 1 : 0;
      total.answered += answered;
      total.underWay += underWay;
      total.happenedUnanswered += unanswered;
    }
    assert.deepEqual(await checkEverything(running.caller, ledger), [], `in the end, CRASH_SEED=${seed}`);
    await running.server.stop();
    const database = new DatabaseSync(join(made.dataDir, "sparekey.db"), { readOnly: true });
    assert.deepEqual(Object.values(database.prepare("PRAGMA integrity_check").get() ?? {}), ["ok"]);
    database.close();
  };
  await Promise.all(Array.from({ length: lanes }, (_, lane) => dieOverAndOver(lane)));
  t.diagnostic(`CRASH_SEED=${seed}: ${JSON.stringify(total)}`);
  // Or the kills came when nothing was going on, and the test has shown nothing.
  assert.ok(total.hits >= kills * 0.95, `only ${total.hits} of ${kills} kills hit calls that were under way`);
  assert.ok(total.answered >= kills * 2, `only ${total.answered} calls were acknowledged`);
});

test("control: an older copy of the database is found out", async (t) => {
  const made = copyInstallation(original);
  t.after(made.remove);
  const chance = chanceFrom(seed);
  let running = await start(made);
  t.after(() => running.server.stop("SIGKILL"));
  const ledger = await prepare(running);
  await running.server.stop();
  const copy = `${made.dataDir}-copy`;
  cpSync(made.dataDir, copy, { recursive: true });

  running = await start(made);
  const { answered } = await killUnderLoad(running, ledger, chance);
  rmSync(made.dataDir, { recursive: true });
  cpSync(copy, made.dataDir, { recursive: true });
  running = await start(made);
  const { findings } = await checkSinceLastTime(running.caller, ledger);
  assert.ok(answered > 0);
  assert.ok(
    findings.some((finding) => finding.startsWith("no record of")),
    "lost records were not noticed",
  );
  assert.ok(
    findings.some((finding) => finding.startsWith("crash.user")),
    "lost states were not noticed",
  );
});
