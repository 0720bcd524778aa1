/** `backup` beside a live server, `restore` into a new directory, `codes void-all`: as an operator meets them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { type ApiCaller, changeSettings, createApiCaller } from "./api-caller.ts";
import {
  copyInstallation,
  createInstallation,
  type Installation,
  makeDirectory,
  runServerCommand,
  type ServerProcess,
  startServer,
} from "./server-process.ts";

let made: Installation;
let server: ServerProcess;
let caller: ApiCaller;
let directory: string;
before(async () => {
  made = await createInstallation(["--company", "Example Corp"]);
  server = await startServer(made.dataDir);
  caller = createApiCaller(server.url, made);
  await changeSettings(caller, { answerTimeMs: 0 });
});
after(async () => {
  await server.stop();
  made.remove();
});
beforeEach(() => {
  directory = makeDirectory();
});
afterEach(() => rmSync(directory, { recursive: true }));

const backup = (path: string, ...args: string[]) =>
  runServerCommand(["backup", "--data-dir", made.dataDir, "--to", path, ...args]);
const restore = (path: string, dataDir: string, rootKeyFile = join(made.dataDir, "root.key")) =>
  runServerCommand(["restore", path, "--data-dir", dataDir], { SPAREKEY_ROOT_KEY_FILE: rootKeyFile });

async function issue(username: string): Promise<string> {
  const profile = { username, email: `${username}@example.com`, firstName: "Test", lastName: "User" };
  const { body } = await caller.admin("POST", "/api/v1/users", profile);
  const answer = await caller.admin("POST", `/api/v1/users/${body.id}/emergency-code`, { oneTime: true });
  return answer.body.code;
}
const verify = async ({ client }: ApiCaller, user: string, code: string) =>
  (await client("POST", "/api/v1/verify", { user, code })).body.accepted;

test("a backup beside the live server restores into a new directory, where no code lives and a new one works", async () => {
  const codes = { "used.later": await issue("used.later"), "never.used": await issue("never.used") };
  const path = join(directory, "a.backup");
  const { exitCode, stdout, stderr } = await backup(path);
  assert.equal(exitCode, 0, stderr);
  assert.equal(stderr, "", "progress is for terminals");
  const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
  assert.match(
    stdout,
    new RegExp(
      `^Made ${path}\n  company  Example Corp\n  state    .*Z\n  rows     .* 2 users and .*\n  size .*\n  sha256   ${sha256}\n`,
    ),
  );
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(await verify(caller, "used.later", codes["used.later"]), true);

  const dataDir = join(directory, "restored");
  const restored = await restore(path, dataDir);
  assert.equal(restored.exitCode, 0, restored.stderr);
  assert.match(
    restored.stdout,
    /^Restored Example Corp into .*\n.*\n.*\n {2}voided {3}2 code\(s\) that were live: .*\n/,
  );
  assert.deepEqual(readdirSync(dataDir).sort(), ["record.mark", "serve.lock", "sparekey.db"]);
  assert.equal(statSync(dataDir).mode & 0o777, 0o700);
  for (const name of readdirSync(dataDir)) assert.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, name);

  const second = await startServer(dataDir, { SPAREKEY_ROOT_KEY_FILE: join(made.dataDir, "root.key") });
  const there = createApiCaller(second.url, made);
  for (const [user, code] of Object.entries(codes)) assert.equal(await verify(there, user, code), false, user);
  const { body } = await there.admin("GET", "/api/v1/audit/events?action=installation.restored");
  assert.equal(body.events[0].details.voided, 2);
  assert.equal(body.events[0].details.file, "a.backup");
  assert.equal(body.events[0].details.sha256, sha256);
  await second.stop();
});

test("the usual name is company and time, in the current directory, and --json says the same", async () => {
  const { exitCode, stdout, stderr } = await runServerCommand(["backup", "--data-dir", made.dataDir, "--json"]);
  assert.equal(exitCode, 0, stderr);
  const { path, rows, bytes } = JSON.parse(stdout);
  assert.match(path, /^sparekey-example-corp-\d{8}T\d{6}Z\.backup$/);
  assert.equal(rows.company, 1);
  assert.equal(statSync(path).size, bytes);
  rmSync(path);
});

test("a file that is there is not overwritten, and a directory that is not there is named: exit 2", async () => {
  const path = join(directory, "mine");
  writeFileSync(path, "mine");
  const there = await backup(path);
  assert.equal(there.exitCode, 2);
  assert.equal(
    there.stderr,
    `error: ${path} is already there\nhint: a backup overwrites nothing: choose another --to, or remove that file if nobody needs it\n`,
  );
  const nowhere = await backup(join(directory, "no", "b.backup"));
  assert.equal(nowhere.exitCode, 2);
  assert.match(nowhere.stderr, /^error: cannot write .* \(ENOENT\)\nhint: name a file in a directory /);
  assert.deepEqual(readdirSync(directory), ["mine"]);
});

test("restore makes nothing of a wrong root key: exit 4; a damaged file: exit 8; none at all: exit 2", async () => {
  const path = join(directory, "a.backup");
  assert.equal((await backup(path)).exitCode, 0);
  const dataDir = join(directory, "restored");
  const otherKey = join(directory, "other.key");
  writeFileSync(otherKey, Buffer.alloc(32, 7).toString("base64"));
  const whole = readFileSync(path);
  const flipped = Buffer.from(whole);
  flipped.writeUInt8(flipped.readUInt8(1_000) ^ 1, 1_000);

  const outcomes = [
    await restore(path, dataDir, otherKey),
    await runServerCommand(["restore", path, "--data-dir", dataDir]),
  ];
  for (const bytes of [flipped, whole.subarray(0, 1_000), Buffer.from("no backup"), Buffer.alloc(0)]) {
    writeFileSync(join(directory, "damaged"), bytes);
    outcomes.push(await restore(join(directory, "damaged"), dataDir));
  }
  outcomes.push(await restore(join(directory, "nothing"), dataDir));
  assert.deepEqual(
    outcomes.map(({ exitCode }) => exitCode),
    [4, 4, 8, 8, 8, 8, 2],
  );
  for (const { stderr } of outcomes) assert.match(stderr, /^error: .*\nhint: .*\n$/);
  assert.equal(existsSync(dataDir), false);
});

test("restore refuses a directory with an installation, or what is left of one: exit 3, and touches nothing", async (t) => {
  const path = join(directory, "a.backup");
  assert.equal((await backup(path)).exitCode, 0);
  const copy = copyInstallation(made);
  t.after(copy.remove);
  const contents = () =>
    readdirSync(copy.dataDir).map((name) => [name, readFileSync(join(copy.dataDir, name), "latin1")]);
  const before = contents();
  const { exitCode, stderr } = await restore(path, copy.dataDir);
  assert.equal(exitCode, 3);
  assert.match(
    stderr,
    /^error: .*sparekey\.db is already there, and restore overwrites nothing\nhint: move the directory/,
  );
  assert.deepEqual(contents(), before);
  for (const name of ["sparekey.db-wal", "record.mark"]) {
    const left = join(directory, `with-${name}`);
    mkdirSync(left);
    writeFileSync(join(left, name), "left");
    assert.equal((await restore(path, left)).exitCode, 3, name);
    assert.deepEqual(readdirSync(left), [name]);
  }
});

test("restore takes a directory that holds the root key, and what is left of a restore that was killed", async () => {
  const path = join(directory, "a.backup");
  assert.equal((await backup(path)).exitCode, 0);
  const dataDir = join(directory, "prepared");
  mkdirSync(dataDir, { mode: 0o700 });
  cpSync(join(made.dataDir, "root.key"), join(dataDir, "root.key"));
  for (const end of ["", "-wal"]) writeFileSync(join(dataDir, `sparekey.db.restoring${end}`), "half a database");
  const { exitCode, stderr } = await runServerCommand(["restore", path, "--data-dir", dataDir]);
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(readdirSync(dataDir).sort(), ["record.mark", "root.key", "serve.lock", "sparekey.db"]);
});

test("codes void-all ends every live code beside the live server; where nobody can be asked it wants --yes", async () => {
  const code = await issue("void.all");
  const voidAll = (...args: string[]) => runServerCommand(["codes", "void-all", "--data-dir", made.dataDir, ...args]);
  const unasked = await voidAll();
  assert.equal(unasked.exitCode, 2);
  assert.equal(unasked.stderr, "error: nothing was done\nhint: confirm with --yes where nobody can be asked\n");
  const another = await issue("void.all.too");
  const { exitCode, stdout, stderr } = await voidAll("--yes", "--reason", "stolen laptop", "--json");
  assert.equal(exitCode, 0, stderr);
  const { voided } = JSON.parse(stdout);
  assert.ok(voided >= 2);
  assert.equal(await verify(caller, "void.all", code), false);
  assert.equal(await verify(caller, "void.all.too", another), false);
  const { body } = await caller.admin("GET", "/api/v1/audit/events?action=emergency_code.revoked_all");
  assert.deepEqual(
    body.events.map(({ reason, details, actor }: Record<string, unknown>) => ({ reason, details, actor })),
    [{ reason: "stolen laptop", details: { voided }, actor: { kind: "command", id: null } }],
  );
  assert.equal((await voidAll("--yes")).stdout, "Ended 0 live code(s). Their users need new ones.\n");
});

test("help names the commands and their exit codes", async () => {
  const { stdout } = await runServerCommand(["--help"]);
  for (const line of [
    /^ {2}backup /m,
    /^ {2}restore /m,
    /^ {2}codes /m,
    /^ {2}7 {2}the database went back/m,
    /^ {2}8 {2}/m,
  ]) {
    assert.match(stdout, line);
  }
  assert.match((await runServerCommand(["serve", "--help"])).stdout, /--accept-rollback +go on from a database/);
});
