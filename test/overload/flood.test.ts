/** Two thousand clients that never wait: each request is answered, memory stays bounded, and then all is well. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { createApiCaller } from "../api-caller.ts";
import { createInstallation, type Installation, startServer } from "../server-process.ts";
import { prepare } from "./calls.ts";
import { callFromCrowd } from "./crowd.ts";

/**
 * A process whose memory grew with what is asked of it would end for want of this. It also leaves little room for
 * garbage, which would otherwise be most of what is measured: it is collected late, load or not.
 */
const heap = { NODE_OPTIONS: "--max-old-space-size=96 --max-semi-space-size=8" };
const normal = { connections: 128, forMs: 4_000, polite: false };
const flood = { connections: 2_000, forMs: 5_000, polite: false };
/** From one flood to the next. What it costs to have two thousand connections at all is the bench's to measure. */
const mostGrowth = 1.3;

let made: Installation;
before(async () => {
  made = await createInstallation();
});
after(() => made.remove());

/** Resident memory of a process in MiB, as Linux tells it; NaN elsewhere. */
function residentMib(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;
  } catch {
    return Number.NaN;
  }
}

test("a flood from 2,000 connections is answered, request by request, and the next one needs no more memory", async (t) => {
  const server = await startServer(made.dataDir, heap);
  t.after(() => server.stop("SIGKILL"));
  const caller = createApiCaller(server.url, made);
  const { username, code } = await prepare(caller, 50);
  const target = { url: server.url, clientKey: made.clientKey, body: JSON.stringify({ user: username, code }) };

  const before = await callFromCrowd(target, normal);
  const normalMib = residentMib(server.pid);
  const during = await callFromCrowd(target, flood);
  const floodMib = residentMib(server.pid);
  await callFromCrowd(target, flood);
  const endMib = residentMib(server.pid);
  const after = await callFromCrowd(target, { ...normal, connections: 8, forMs: 500 });

  const told = [before, during, after].map(({ statuses }) => JSON.stringify([...statuses]));
  t.diagnostic(`${told.join(", then ")}; ${[normalMib, floodMib, endMib].map(Math.round).join(", ")} MiB`);
  for (const status of during.statuses.keys()) assert.ok([200, 429, 503].includes(status), told[1]);
  assert.ok((during.statuses.get(200) ?? 0) > 0);
  assert.deepEqual([...after.statuses.keys()], [200]);
  assert.ok(!(endMib > floodMib * mostGrowth), `${floodMib} MiB became ${endMib} MiB`);
  assert.equal((await caller.call("GET", "/readyz")).status, 200);
  assert.match(await fetch(`${server.url}/metrics`).then((answer) => answer.text()), /^sparekey_http_refused_total/m);
});
