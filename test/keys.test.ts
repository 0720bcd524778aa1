/** `sparekey-server keys` beside a live server: what it does holds from the next request on. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { after, before, test } from "node:test";
import type { KeyFile } from "@sparekey/contract";
import { type ApiCaller, createApiCaller } from "./api-caller.ts";
import {
  createInstallation,
  type Installation,
  runServerCommand,
  type ServerProcess,
  startServer,
} from "./server-process.ts";

let made: Installation;
let server: ServerProcess;
let first: ApiCaller;
before(async () => {
  made = await createInstallation();
  server = await startServer(made.dataDir);
  first = createApiCaller(server.url, made);
});
after(async () => {
  await server.stop();
  made.remove();
});

async function keys<Result>(...args: string[]): Promise<Result> {
  const { exitCode, stdout, stderr } = await runServerCommand(["keys", ...args, "--data-dir", made.dataDir, "--json"]);
  assert.equal(exitCode, 0, stderr);
  return JSON.parse(stdout) as Result;
}

interface Made {
  id: string;
  file: string;
}

test("a new API key works at once, with its role's permissions, until it is deleted", async () => {
  const { id, file } = await keys<Made>("create", "--role", "Help Desk Administrator", "--description", "Service desk");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const keyFile = JSON.parse(readFileSync(file, "utf8")) as KeyFile;
  assert.equal(keyFile.accessID, id);
  const helpDesk = createApiCaller(server.url, { ...made, keyFile });
  const mayRead = () => helpDesk.admin("GET", "/api/v1/audit/events?limit=1");
  assert.equal((await mayRead()).status, 200);
  assert.equal((await helpDesk.admin("GET", "/api/v1/settings")).status, 403, "settings are a Super Administrator's");

  assert.deepEqual(await keys("delete", id), { deleted: id });
  const { status, body } = await mayRead();
  assert.equal(status, 403);
  assert.equal(body.code, "token_refused");
});

test("a new Authentication API key works at once, until it is deleted", async () => {
  const { id, file } = await keys<Made>("create", "--authn", "VPN gateway");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const vpn = createApiCaller(server.url, { ...made, clientKey: readFileSync(file, "utf8").trim() });
  const verify = () => vpn.client("POST", "/api/v1/verify", { user: "nobody", code: "12345678" });
  assert.deepEqual((await verify()).body, { accepted: false });
  await keys("delete", id);
  const { status, body } = await verify();
  assert.equal(status, 401);
  assert.equal(body.code, "client_key_refused");
});

test("list shows every key and no secret", async () => {
  const list = await keys<{ id: string; kind: string; name: string }[]>("list");
  assert.deepEqual(list.map(({ kind }) => kind).sort(), ["api", "authn"]);
  assert.ok(list.some(({ id }) => id === made.keyFile.accessID));
  const text = JSON.stringify(list);
  assert.ok(!text.includes(made.clientKey) && !text.includes("PRIVATE KEY"));
});

test("each of it is in the record, as done by a command", async () => {
  const { body } = await first.admin("GET", "/api/v1/audit/events?last=100");
  const byCommand = body.events.filter((event: { actor: { kind: string } }) => event.actor.kind === "command");
  const actions = byCommand.map((event: { action: string }) => event.action);
  for (const action of ["api_key.created", "api_key.deleted", "authn_key.created", "authn_key.deleted"]) {
    assert.ok(actions.includes(action), action);
  }
});

test("a key that is not there cannot be deleted: exit 2", async () => {
  const { exitCode, stderr } = await runServerCommand(["keys", "delete", "no-such-key", "--data-dir", made.dataDir]);
  assert.equal(exitCode, 2);
  assert.match(stderr, /^error: .*no-such-key\nhint: /);
});
