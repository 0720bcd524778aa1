/** One `serve` a data directory, and an orderly end. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { changeSettings, createApiCaller } from "./api-caller.ts";
import {
  copyInstallation,
  createInstallation,
  type Installation,
  runServerCommand,
  startServer,
} from "./server-process.ts";

let original: Installation;
let made: Installation;
before(async () => {
  original = await createInstallation();
});
after(() => original.remove());
beforeEach(() => {
  made = copyInstallation(original);
});
afterEach(() => made.remove());

/** A verification takes this long, so that there is time to stop the server meanwhile. */
const answerTimeMs = 1_000;
const wrongCode = { user: "nobody", code: "12345678" };

test("a second serve or migrate on the same directory is refused with exit 3; the first goes on", async (t) => {
  const first = await startServer(made.dataDir);
  t.after(() => first.stop("SIGKILL"));
  for (const command of ["serve", "migrate"]) {
    const { exitCode, stderr } = await runServerCommand([command, "--data-dir", made.dataDir]);
    assert.equal(exitCode, 3, command);
    assert.match(stderr, /^error: another sparekey-server is using .*\nhint: stop that one first/);
  }
  assert.equal((await fetch(`${first.url}/readyz`)).status, 200);
});

test("kill -9 releases the directory at once", async (t) => {
  const first = await startServer(made.dataDir);
  assert.equal((await first.stop("SIGKILL")).signal, "SIGKILL");
  const second = await startServer(made.dataDir);
  t.after(() => second.stop("SIGKILL"));
  assert.equal((await fetch(`${second.url}/readyz`)).status, 200);
});

test("SIGTERM: what is under way is answered, nothing new is let in, exit 0", async () => {
  const server = await startServer(made.dataDir, { SPAREKEY_DRAIN_SECONDS: "0.4" });
  const { client, ...caller } = createApiCaller(server.url, made);
  await changeSettings({ client, ...caller }, { answerTimeMs });
  let answered = false;
  const underWay = Array.from({ length: 8 }, () =>
    client("POST", "/api/v1/verify", wrongCode).finally(() => (answered = true)),
  );
  await delay(200);
  const ended = server.stop("SIGTERM");

  while (!server.stdout().includes('"msg":"stopping"')) await delay(5);
  const readiness = await fetch(`${server.url}/readyz`);
  assert.equal(readiness.status, 503, "a load balancer is told first");
  assert.equal(((await readiness.json()) as { reason: string }).reason, "stopping");
  assert.notEqual(readiness.headers.get("retry-after"), null);
  assert.equal(readiness.headers.get("connection"), "close", "the connection can be used again");
  while (!(await isRefused(server.url))) await delay(10);
  assert.equal(answered, false, "new connections were refused only after the answers");

  for (const { status, body } of await Promise.all(underWay)) {
    assert.equal(status, 200);
    assert.deepEqual(body, { accepted: false });
  }
  const answeredAt = performance.now();
  const { exitCode, stdout, stderr } = await ended;
  assert.equal(exitCode, 0);
  assert.ok(performance.now() - answeredAt < 2_000, "idle connections held the stop up");
  assert.match(stdout, /"msg":"stopping"[\s\S]*"msg":"stopped"/);
  assert.equal(stderr, "");
});

test("what was answered while it stopped is in the record after the next start", async (t) => {
  const server = await startServer(made.dataDir);
  const { admin, client } = createApiCaller(server.url, made);
  const underWay = Array.from({ length: 8 }, () => client("POST", "/api/v1/verify", wrongCode));
  await admin("GET", "/api/v1/settings");
  const ended = server.stop("SIGTERM");
  const requestIds = (await Promise.all(underWay)).map(({ headers }) => headers.get("x-request-id"));
  await ended;

  const next = await startServer(made.dataDir);
  t.after(() => next.stop("SIGKILL"));
  const { body } = await createApiCaller(next.url, made).admin("GET", "/api/v1/audit/events?last=100");
  const recorded = body.events.map((event: { requestId: string }) => event.requestId);
  assert.equal(requestIds.length, 8);
  for (const requestId of requestIds) assert.ok(recorded.includes(requestId));
});

test("SIGINT ends it as SIGTERM does, also when it comes twice", async () => {
  const server = await startServer(made.dataDir);
  void server.stop("SIGINT");
  assert.equal((await server.stop("SIGINT")).exitCode, 0);
});

function isRefused(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.on("connect", () => resolve(false)).on("error", () => resolve(true));
    socket.on("connect", () => socket.destroy());
  });
}
