/** A database that was put back behind the server's back: refused at start and while running, accepted by voiding. */
import assert from "node:assert/strict";
import { cpSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type ApiCaller, changeSettings, createApiCaller } from "./api-caller.ts";
import {
  copyInstallation,
  createInstallation,
  type Installation,
  runServerCommand,
  type ServerProcess,
  startServer,
} from "./server-process.ts";

/** The job that writes the mark runs each second. */
const markEveryMs = 1_000;
const wrongCode = { user: "nobody", code: "12345678" };

let original: Installation;
let made: Installation;
let mark: string;
let database: string;
const running = new Set<ServerProcess>();
before(async () => {
  original = await createInstallation();
  const server = await startServer(original.dataDir);
  await changeSettings(createApiCaller(server.url, original), { answerTimeMs: 0 });
  await server.stop();
});
after(() => original.remove());
beforeEach(() => {
  made = copyInstallation(original);
  mark = join(made.dataDir, "record.mark");
  database = join(made.dataDir, "sparekey.db");
});
afterEach(async () => {
  for (const server of running) await server.stop("SIGKILL");
  running.clear();
  made.remove();
});

async function start(...args: string[]): Promise<ApiCaller & { server: ServerProcess }> {
  const server = await startServer(made.dataDir, {}, args);
  running.add(server);
  return { server, ...createApiCaller(server.url, made) };
}
const serve = (...args: string[]) =>
  runServerCommand(["serve", "--data-dir", made.dataDir, ...args], { SPAREKEY_PORT: "0" });

async function issue({ admin }: ApiCaller, username: string): Promise<string> {
  const profile = { username, email: `${username}@example.com`, firstName: "Test", lastName: "User" };
  const { body } = await admin("POST", "/api/v1/users", profile);
  return (await admin("POST", `/api/v1/users/${body.id}/emergency-code`, { oneTime: true })).body.code;
}
const verify = async ({ client }: ApiCaller, user: string, code: string) =>
  (await client("POST", "/api/v1/verify", { user, code })).body.accepted;
const putBack = (copy: string) => {
  for (const end of ["-wal", "-shm"]) rmSync(`${database}${end}`, { force: true });
  renameSync(copy, database);
};
const readMark = () => JSON.parse(readFileSync(mark, "utf8"));

/** Two live codes, a copy of the database, then one of the codes used. */
async function useOneAfterCopy() {
  const first = await start();
  const codes = { used: await issue(first, "used"), unused: await issue(first, "unused") };
  await first.server.stop();
  const copy = join(made.dataDir, "..", "copy.db");
  cpSync(database, copy);
  const second = await start();
  assert.equal(await verify(second, "used", codes.used), true);
  await second.server.stop();
  return { codes, copy };
}

test("the mark is written at the first start, for its owner alone, and follows each second and at the stop", async () => {
  rmSync(mark);
  const { server, client } = await start();
  assert.match(server.stdout(), /no record mark yet/);
  assert.equal(statSync(mark).mode & 0o777, 0o600);
  const before = readMark();
  await client("POST", "/api/v1/verify", wrongCode);
  await delay(markEveryMs + 500);
  // The start has a record of its own, after the mark was written.
  assert.equal(readMark().sequence, before.sequence + 2);
  await client("POST", "/api/v1/verify", wrongCode);
  await server.stop();
  assert.equal(readMark().sequence, before.sequence + 3);
});

test("a database that was put back: serve exits with 7; --accept-rollback voids every code, used and unused", async () => {
  const { codes, copy } = await useOneAfterCopy();
  const lost = readMark();
  const control = join(made.dataDir, "..", "control.db");
  cpSync(copy, control);
  putBack(copy);
  const { exitCode, stdout, stderr } = await serve();
  assert.equal(exitCode, 7);
  assert.match(
    stderr,
    /^error: the database went back to an earlier state: it ends at record \d+, before record \d+, which this machine has seen \(.*record\.mark\)\nhint: .* void every live code and go on with: sparekey-server serve --accept-rollback\n$/,
  );
  assert.ok(!stdout.includes('"listening"'));
  assert.deepEqual(readMark(), lost, "the refused start moved the mark");

  const accepted = await start("--accept-rollback");
  assert.equal(await verify(accepted, "used", codes.used), false);
  assert.equal(await verify(accepted, "unused", codes.unused), false);
  const { body } = await accepted.admin("GET", "/api/v1/audit/events?action=installation.rolled_back");
  assert.equal(body.events.length, 1);
  const { details } = body.events[0];
  assert.deepEqual([details.lostSequence, details.lostId, details.voided], [lost.sequence, lost.id, 2]);
  assert.equal(await verify(accepted, "new", await issue(accepted, "new")), true);
  await accepted.server.stop();
  const again = await start();
  assert.equal((await fetch(`${again.server.url}/readyz`)).status, 200, "accepted once, it stays accepted");
  await again.server.stop();

  // Without the mark nobody can tell, and the used code works a second time.
  rmSync(mark);
  putBack(control);
  assert.equal(await verify(await start(), "used", codes.used), true, "control: the mark is what finds it");
});

test("a database that was put back and written beyond the mark is still found, by the record's id", async () => {
  const { copy } = await useOneAfterCopy();
  putBack(copy);
  const { sequence } = readMark();
  const newest = () => {
    const db = new DatabaseSync(database, { readOnly: true });
    const row = db.prepare("SELECT max(sequence) AS newest FROM audit_events").get() as { newest: number };
    db.close();
    return row.newest;
  };
  while (newest() <= sequence) {
    const { exitCode } = await runServerCommand(["keys", "create", "--authn", "x", "--data-dir", made.dataDir]);
    assert.equal(exitCode, 0);
  }
  const { exitCode, stderr } = await serve();
  assert.equal(exitCode, 7);
  assert.match(stderr, /^error: the database went back to an earlier state and was written since: /);
});

test("another company's database and a garbled mark are refused with exit 7, and accepted by the option", async () => {
  const whole = readMark();
  for (const text of [`${JSON.stringify({ ...whole, company: "another" })}\n`, '{"company":"x","sequ', ""]) {
    writeFileSync(mark, text);
    const { exitCode, stderr } = await serve();
    assert.equal(exitCode, 7, text);
    assert.match(stderr, /^error: .*\nhint: .*--accept-rollback\n$/);
    assert.equal(readFileSync(mark, "utf8"), text);
  }
  const { server } = await start("--accept-rollback");
  assert.equal(readMark().company, whole.company);
  await server.stop();
});

test("--accept-rollback where nothing went back voids nothing, and no variable can leave it on", async () => {
  const first = await start();
  const code = await issue(first, "jane");
  await first.server.stop();
  const second = await start("--accept-rollback");
  assert.match(second.server.stdout(), /nothing went back/);
  assert.equal(await verify(second, "jane", code), true);
  await second.server.stop();
  const { exitCode } = await runServerCommand(["serve", "--data-dir", made.dataDir], { SPAREKEY_ACCEPT_ROLLBACK: "1" });
  assert.equal(exitCode, 2);
});

test("a running server whose database is replaced answers 503 and is not ready, until a restart accepts it", async () => {
  const { codes, copy } = await useOneAfterCopy();
  const caller = await start();
  const { server } = caller;
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
  putBack(copy);
  await delay(markEveryMs + 1_000);

  const readiness = await fetch(`${server.url}/readyz`);
  assert.equal(readiness.status, 503);
  assert.notEqual(readiness.headers.get("retry-after"), null);
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200, "a supervisor must not restart it for ever");
  for (const { status, body } of [
    await caller.client("POST", "/api/v1/verify", { user: "used", code: codes.used }),
    await caller.admin("GET", "/api/v1/audit/events"),
  ]) {
    assert.deepEqual([status, body.code], [503, "unavailable"]);
  }
  assert.match(server.stdout(), /"level":"fatal".*the database went back/);
  await server.stop();
  assert.equal((await serve()).exitCode, 7);
  const accepted = await start("--accept-rollback");
  assert.equal(await verify(accepted, "used", codes.used), false);
});

test("kill -9 leaves a mark that is whole, at most a second behind, and never ahead of the database", async () => {
  for (const waitMs of [50, 700, 1_300, 1_900]) {
    const { server, client } = await start();
    const answeredAt: number[] = [];
    const load = (async () => {
      while (running.has(server)) {
        try {
          if ((await client("POST", "/api/v1/verify", wrongCode)).status !== 200) return;
          answeredAt.push(Date.now());
        } catch {
          return;
        }
      }
    })();
    await delay(waitMs);
    const killedAt = Date.now();
    await server.stop("SIGKILL");
    running.delete(server);
    await load;
    const { sequence, id } = readMark();
    const db = new DatabaseSync(database, { readOnly: true });
    const row = db.prepare("SELECT id FROM audit_events WHERE sequence = ?").get(sequence) as
      | { id: string }
      | undefined;
    assert.equal(row?.id, id, "the mark names a record that is not there");
    const behind = db.prepare("SELECT count(*) AS count FROM audit_events WHERE sequence > ?").get(sequence);
    const lately = answeredAt.filter((at) => at > killedAt - 2 * markEveryMs).length;
    // One that was committed and not answered may be among them, and the record of the start.
    assert.ok((behind as { count: number }).count <= lately + 2, `${JSON.stringify(behind)} behind, ${lately} lately`);
    db.close();
  }
  const { server } = await start();
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200, "a killed server's own mark refuses nothing");
});
