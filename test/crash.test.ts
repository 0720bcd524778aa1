/** `kill -9` of the server at any moment, over and over: every acknowledged answer is there afterwards. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type ApiCaller, changeSettings, createApiCaller } from "./api-caller.ts";
import { checkAfterRestart, createLoadedUser, type LoadedUser, loadUntilGone, type Tally } from "./crash-load.ts";
import { copyInstallation, createInstallation, type Installation, type ServerProcess, startServer } from "./server-process.ts";

const kills = Number(process.env.CRASH_KILLS ?? 100);
/** Installations that are killed side by side; most of the time goes into starting again. */
const lanes = 2;
const usersPerLane = 6;

let original: Installation;
before(async () => {
  original = await createInstallation();
});
after(() => original.remove());

test(`after ${kills} kill -9 under load, nothing that was acknowledged is lost or undone`, async () => {
  const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
  console.log(`CRASH_SEED=${seed}`);
  const results = await Promise.all(
    Array.from({ length: lanes }, (_, lane) => killOverAndOver(Math.ceil(kills / lanes), createDice(seed + lane))),
  );
  const total = (name: "kills" | "interrupting" | "acknowledged") => results.reduce((sum, one) => sum + one[name], 0);
  console.log(
    `${total("kills")} kills, ${total("interrupting")} with answers under way, ${total("acknowledged")} acknowledged changes`,
  );
  assert.ok(total("kills") >= kills);
  // Or the kills came when nothing was going on, and the test has shown nothing.
  assert.ok(total("interrupting") > kills / 2, "most kills must interrupt requests");
  assert.ok(total("acknowledged") > kills * 5, "there must be answers to lose");
});

async function killOverAndOver(times: number, dice: () => number) {
  const made = copyInstallation(original);
  const tally: Tally = { requestIds: [] };
  let users: LoadedUser[] = [];
  let interrupting = 0;
  let cursor = 0;
  let acknowledged = 0;
  let server: ServerProcess | undefined;
  try {
    for (let kill = 0; kill <= times; kill += 1) {
      server = await startServer(made.dataDir, { SPAREKEY_LOG_LEVEL: "info" });
      const api = createApiCaller(server.url, made);
      for (const user of users) await checkAfterRestart(api, user);
      cursor = await checkRecord(api, cursor, tally);
      acknowledged += tally.requestIds.length;
      tally.requestIds = [];
      if (users.length === 0) {
        // Without the beat more is under way, and more is acknowledged, when the kill comes.
        await changeSettings(api, { answerTimeMs: 0 });
        users = await Promise.all(
          Array.from({ length: usersPerLane }, (_, n) => createLoadedUser(api, `crash.user${n}`)),
        );
      }
      if (kill === times) break;
      const load = users.map((user) => loadUntilGone(api, user, tally));
      await delay(50 + dice() * 250);
      await server.stop("SIGKILL");
      await Promise.all(load);
      if (users.some((user) => user.pending !== undefined)) interrupting += 1;
    }
  } finally {
    await server?.stop("SIGKILL");
    made.remove();
  }
  return { kills: times, interrupting, acknowledged };
}

/** Every acknowledged change is in the record, which goes on where it was; answers where it stands now. */
async function checkRecord(api: ApiCaller, after: number, { requestIds }: Tally): Promise<number> {
  const recorded = new Set<string>();
  let cursor = after;
  while (true) {
    const { body } = await api.admin("GET", `/api/v1/audit/events?limit=1000&after=${cursor}`);
    for (const { requestId, sequence } of body.events) {
      assert.ok(sequence > cursor, "the record goes on where it was");
      cursor = sequence;
      recorded.add(requestId);
    }
    if (body.events.length < 1_000) break;
  }
  const missing = requestIds.filter((id) => !recorded.has(id));
  assert.deepEqual(missing, [], "acknowledged changes without a record");
  return cursor;
}

/** Numbers from 0 to 1 that a seed brings back (mulberry32). */
function createDice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
