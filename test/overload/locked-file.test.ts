/** The embedded database in another process's hands: the node stands still for moments only, says why, and goes on. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { createApiCaller } from "../api-caller.ts";
import { createInstallation, type Installation, startServer } from "../server-process.ts";
import { assertBounded, everyKind, prepare, slackMs, type Timed, timed } from "./calls.ts";

let made: Installation;
before(async () => {
  made = await createInstallation();
});
after(() => made.remove());

test("while another process holds the file: 503 within two seconds, not ready within one", async (t) => {
  const server = await startServer(made.dataDir);
  t.after(() => server.stop("SIGKILL"));
  const caller = createApiCaller(server.url, made);
  const prepared = await prepare(caller);
  const other = new DatabaseSync(join(made.dataDir, "sparekey.db"));
  t.after(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  const calls: Promise<Timed>[] = [];
  for (let n = 0; n < 4; n++) {
    calls.push(...everyKind(caller, prepared));
    const { ms, answer } = await timed("readyz", () => caller.call("GET", "/readyz"));
    assert.deepEqual([answer.status, answer.body.reason], [503, "database"]);
    assert.ok(ms < 1_000 + slackMs, `/readyz took ${ms} ms`);
    await delay(100);
  }
  for (const call of await Promise.all(calls)) {
    assertBounded(call);
    assert.equal(call.answer.status, call.name.startsWith("verify") ? 503 : call.answer.status);
  }
  other.exec("ROLLBACK");
  for (const { name, answer } of await Promise.all(everyKind(caller, prepared))) assert.equal(answer.status, 200, name);
  assert.equal((await caller.call("GET", "/readyz")).status, 200);
});
