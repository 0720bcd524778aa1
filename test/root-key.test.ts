/** A root key that is replaced, whatever cuts it short, and one that comes from a command. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createApiCaller } from "./api-caller.ts";
import {
  copyInstallation,
  createInstallation,
  type Environment,
  type Installation,
  runServerCommand,
  startServer,
} from "./server-process.ts";

let made: Installation;
before(async () => {
  made = await createInstallation();
});
after(() => made.remove());

const run = (dataDir: string, args: string[], env?: Environment) =>
  runServerCommand(["keys", ...args, "--data-dir", dataDir], env);

describe("keys rewrap", () => {
  let copy: Installation;
  let rootKeyFile: string;
  const next = () => `${rootKeyFile}.next`;
  const starts = async (env?: Environment) => {
    const server = await startServer(copy.dataDir, env);
    const ready = await fetch(`${server.url}/readyz`);
    await server.stop();
    return { status: ready.status, log: server.stdout() };
  };
  before(() => {
    copy = copyInstallation(made);
    rootKeyFile = join(copy.dataDir, "root.key");
  });
  after(() => copy.remove());

  test("replaces root.key beside a running server, which then takes up keys that were made under the new one", async (t) => {
    const server = await startServer(copy.dataDir);
    t.after(() => server.stop());
    const api = createApiCaller(server.url, copy);
    const user = { username: "jane", email: "jane@example.com", firstName: "Jane", lastName: "Doe" };
    const { id } = (await api.admin("POST", "/api/v1/users", user)).body;
    const issue = async () => (await api.admin("POST", `/api/v1/users/${id}/emergency-code`, {})).body.code;
    const verify = async (code: string) =>
      (await api.client("POST", "/api/v1/verify", { user: "jane", code })).body.accepted;
    const code = await issue();
    const old = readFileSync(rootKeyFile, "utf8");
    const { exitCode, stdout, stderr } = await run(copy.dataDir, ["rewrap"]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /Wrapped 4 keys under a new root key: .*root\.key\n/);
    assert.match(stdout, /keep the old one for as long as there are backups from before/);
    assert.notEqual(readFileSync(rootKeyFile, "utf8"), old);
    assert.equal(statSync(rootKeyFile).mode & 0o777, 0o600);
    assert.equal(existsSync(next()), false);
    assert.ok(!stdout.includes(readFileSync(rootKeyFile, "utf8").trim()));

    // Nobody asks the server for anything until the new key is in use: it has to find out by itself, then.
    const rotated = await run(copy.dataDir, ["rotate", "--purpose", "code_pepper", "--json"]);
    assert.equal(rotated.exitCode, 0, rotated.stderr);
    const { activeAt } = JSON.parse(rotated.stdout).rotated[0];
    await new Promise((resolve) => setTimeout(resolve, Date.parse(activeAt) - Date.now() + 20));
    assert.equal(await verify(code), true);
    assert.equal(await verify(await issue()), true);
    assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
    const { body } = await api.admin("GET", "/api/v1/audit/events?action=root_key.replaced");
    assert.equal(body.events.length, 1);
    await server.stop();
    assert.equal((await starts()).status, 200);
    assert.equal(
      (await starts({ SPAREKEY_ROOT_KEY: old.trim() }).catch(({ message }) => message)).includes('"exitCode":4'),
      true,
    );
  });

  test("cut short before its commit: the old root key still fits, and the next rewrap goes through", async () => {
    writeFileSync(next(), `${Buffer.alloc(32, 9).toString("base64")}\n`, { mode: 0o600 });
    assert.equal((await starts()).status, 200);
    assert.ok(existsSync(next()), "another rewrap may be about to commit it");
    assert.equal((await run(copy.dataDir, ["rewrap"])).exitCode, 0);
    assert.equal((await starts()).status, 200);
  });

  test("cut short while it wrote the new key: half of one changes nothing", async () => {
    writeFileSync(next(), "aGFsZiBvZiBh", { mode: 0o600 });
    assert.equal((await starts()).status, 200);
    rmSync(next());
  });

  test("cut short after its commit: the next start finishes it, and says so", async () => {
    const old = readFileSync(rootKeyFile);
    assert.equal((await run(copy.dataDir, ["rewrap"])).exitCode, 0);
    const afterCommit = () => {
      renameSync(rootKeyFile, next());
      writeFileSync(rootKeyFile, old, { mode: 0o600 });
    };
    afterCommit();
    const { status, log } = await starts();
    assert.equal(status, 200);
    assert.match(log, /root\.key\.next is now root\.key/);
    assert.equal(existsSync(next()), false);
    afterCommit();
    assert.equal((await run(copy.dataDir, ["rotate"])).exitCode, 0, "so does any command that needs the key");
    assert.equal(existsSync(next()), false);
  });

  test("takes the new key from a file, and refuses one that is none or is the one in use: exit 2", async () => {
    const file = join(copy.dataDir, "..", "new.key");
    const rewrap = () => run(copy.dataDir, ["rewrap", "--new-root-key-file", file]);
    for (const wrong of [undefined, "no key", readFileSync(rootKeyFile, "utf8")]) {
      if (wrong !== undefined) writeFileSync(file, wrong);
      const { exitCode, stderr } = await rewrap();
      assert.equal(exitCode, 2);
      assert.match(stderr, /^error: .*new\.key.*\nhint: make a root key with: openssl rand -base64 32/);
    }
    writeFileSync(file, Buffer.alloc(32, 5).toString("base64"));
    assert.equal((await rewrap()).exitCode, 0);
    assert.equal(readFileSync(rootKeyFile, "utf8").trim(), readFileSync(file, "utf8"));
    assert.equal((await starts()).status, 200);
  });

  test("says where the new key must go when the root key comes from elsewhere, and leaves root.key alone", async () => {
    const old = readFileSync(rootKeyFile, "utf8");
    const { exitCode, stdout } = await run(copy.dataDir, ["rewrap"], { SPAREKEY_ROOT_KEY: old.trim() });
    assert.equal(exitCode, 0);
    assert.match(
      stdout,
      /root\.key\.next\nPut it into SPAREKEY_ROOT_KEY, on every node, .*\nThen remove .*root\.key\.next\./,
    );
    assert.equal(readFileSync(rootKeyFile, "utf8"), old);
    const failed = await runServerCommand(["serve", "--data-dir", copy.dataDir], { SPAREKEY_ROOT_KEY: old.trim() });
    assert.equal(failed.exitCode, 4);
    assert.match(failed.stderr, /hint: keys rewrap replaced it: put what .*root\.key\.next holds/);
    const command = `cat ${next()}`;
    assert.equal((await starts({ SPAREKEY_ROOT_KEY_COMMAND: command })).status, 200);
  });
});

describe("SPAREKEY_ROOT_KEY_COMMAND", () => {
  const serve = (command: string, env: Environment = {}) =>
    runServerCommand(["serve", "--data-dir", made.dataDir], {
      SPAREKEY_PORT: "0",
      SPAREKEY_ROOT_KEY_COMMAND: command,
      ...env,
    });

  test("gives the root key to serve, and is not run by a command that needs none", async () => {
    const mark = join(made.dataDir, "..", "was-run");
    const command = `cat '${made.dataDir}/root.key' && touch '${mark}'`;
    assert.equal((await run(made.dataDir, ["list"], { SPAREKEY_ROOT_KEY_COMMAND: command })).exitCode, 0);
    assert.equal(existsSync(mark), false);
    const server = await startServer(made.dataDir, { SPAREKEY_ROOT_KEY_COMMAND: command });
    assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
    await server.stop();
    assert.equal(existsSync(mark), true);
  });

  test("exit 4 when it fails, prints no key, or prints another one; its output is in no message", async () => {
    const stranger = Buffer.alloc(32, 7).toString("base64");
    const cases: [string, RegExp][] = [
      [
        "echo 'permission denied' >&2; exit 7",
        /^error: SPAREKEY_ROOT_KEY_COMMAND failed: exit code 7\n {2}permission denied\nhint: /,
      ],
      ["echo hush-hush", /^error: the root key is not 32 bytes of base64\nhint: SPAREKEY_ROOT_KEY_COMMAND must print/],
      [`echo ${stranger}`, /^error: the root key does not open the keys in the database\nhint: /],
    ];
    for (const [command, message] of cases) {
      const { exitCode, stdout, stderr } = await serve(command);
      assert.equal(exitCode, 4, command);
      assert.match(stderr, message);
      assert.ok(![stdout, stderr].some((text) => text.includes("hush-hush") || text.includes(stranger)));
    }
  });

  test("exit 2 beside another source, and when it is empty", async () => {
    assert.match((await serve("true", { SPAREKEY_ROOT_KEY: "x" })).stderr, /exclude each other/);
    const { exitCode, stderr } = await serve(" ");
    assert.equal(exitCode, 2);
    assert.match(stderr, /SPAREKEY_ROOT_KEY_COMMAND is empty/);
  });
});
