/** Keys that change beside a real server under load, and without one. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ApiCaller, changeSettings, createApiCaller } from "./api-caller.ts";
import {
  copyInstallation,
  createInstallation,
  type Ended,
  type Environment,
  type Installation,
  runServerCommand,
  type ServerProcess,
  startServer,
} from "./server-process.ts";

interface Rotation {
  purpose: string;
  newKid: string;
  activeAt: string;
  oldKids: string[];
  retiredAt: string;
}

let made: Installation;
before(async () => {
  made = await createInstallation();
});
after(() => made.remove());

const run = (dataDir: string, args: string[], env?: Environment) =>
  runServerCommand(["keys", ...args, "--data-dir", dataDir], env);

function parsed<Result>({ exitCode, stdout, stderr }: Ended): Result {
  assert.equal(exitCode, 0, stderr);
  return JSON.parse(stdout) as Result;
}
async function rotate(dataDir: string, ...args: string[]): Promise<{ rotated: Rotation[]; codesCutShort: number }> {
  return parsed(await run(dataDir, ["rotate", "--json", ...args]));
}
const until = (instant: string) => new Promise((resolve) => setTimeout(resolve, Date.parse(instant) - Date.now() + 20));

async function createUser({ admin }: ApiCaller, username: string): Promise<string> {
  const body = { username, email: `${username}@example.com`, firstName: "Test", lastName: "User" };
  return (await admin("POST", "/api/v1/users", body)).body.id;
}
async function issue({ admin }: ApiCaller, id: string): Promise<string> {
  const { status, body } = await admin("POST", `/api/v1/users/${id}/emergency-code`, {});
  assert.equal(status, 200, JSON.stringify(body));
  return body.code;
}
async function verify({ client }: ApiCaller, user: string, code: string): Promise<boolean> {
  const { status, body } = await client("POST", "/api/v1/verify", { user, code });
  assert.equal(status, 200, JSON.stringify(body));
  return body.accepted;
}

describe("keys rotate beside a server under load", () => {
  let copy: Installation;
  let server: ServerProcess;
  let api: ApiCaller;
  before(async () => {
    copy = copyInstallation(made);
    server = await startServer(copy.dataDir);
    api = createApiCaller(server.url, copy);
    await changeSettings(api, { answerTimeMs: 0 });
  });
  after(async () => {
    await server.stop();
    copy.remove();
  });

  test("no right code is refused in the overlap, and the new key comes into use without a restart", async () => {
    const kept = { user: "kept", code: await issue(api, await createUser(api, "kept")) };
    let working = true;
    let verified = 0;
    const load = Array.from({ length: 4 }, async (_, i) => {
      const user = `user.${i}`;
      const id = await createUser(api, user);
      while (working) {
        const code = await issue(api, id);
        assert.equal(await verify(api, user, code), true);
        assert.equal(await verify(api, kept.user, kept.code), true);
        verified += 2;
      }
    });
    const rotations: Rotation[] = [];
    for (let i = 0; i < 2; i++) {
      const [pepper] = (await rotate(copy.dataDir, "--purpose", "code_pepper")).rotated;
      rotations.push(pepper as Rotation);
      await until(pepper?.activeAt ?? "");
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    working = false;
    await Promise.all(load);
    assert.ok(verified > 20, `${verified} verifications`);

    const { body } = await api.admin("GET", "/api/v1/audit/events?action=emergency_code.issued&limit=1000");
    const kids = body.events.map(({ details }: { details: { pepperKid: string } }) => details.pepperKid);
    for (const { newKid } of rotations) assert.ok(kids.includes(newKid));
    const issuedEarly = body.events.filter(({ at, details }: { at: string; details: { pepperKid: string } }) =>
      rotations.some(({ newKid, activeAt }) => details.pepperKid === newKid && at < activeAt),
    );
    assert.deepEqual(issuedEarly, []);
  });

  test("without an overlap the codes from before stop at the instant that was told, and new ones work", async () => {
    const id = await createUser(api, "leaked");
    const code = await issue(api, id);
    const { exitCode, stdout, stderr } = await run(copy.dataDir, [
      "rotate",
      "--purpose",
      "code_pepper",
      "--overlap",
      "0",
    ]);
    assert.equal(exitCode, 0, stderr);
    const [, count, end] = /^(\d+) live code\(s\) .* they stop working at (\S+Z)\.$/m.exec(stdout) ?? [];
    assert.ok(Number(count) >= 1, stdout);
    await until(end ?? "");
    assert.equal(await verify(api, "leaked", code), false);
    const { body } = await api.admin("GET", "/api/v1/audit/events?last=1");
    assert.equal(body.events[0].reason, "key_retired");
    assert.equal(await verify(api, "leaked", await issue(api, id)), true);
  });

  test("status shows every key with its state and its codes, and no secret", async () => {
    const shown = parsed<{ purpose: string; state: string; liveCodes: number | null }[]>(
      await run(copy.dataDir, ["status", "--json"]),
    );
    const states = shown.filter(({ purpose }) => purpose === "code_pepper").map(({ state }) => state);
    assert.deepEqual(states, ["retired", "retired", "retired", "current"]);
    assert.equal(shown.find(({ state, purpose }) => state === "current" && purpose === "code_pepper")?.liveCodes, 1);
    assert.deepEqual(new Set(shown.map(({ purpose }) => purpose)).size, 4);
    const { stdout } = await run(copy.dataDir, ["status"]);
    assert.match(stdout, /^code_pepper +\S+ +current +since \S+ +1 live code\(s\)$/m);
    assert.ok(!stdout.includes("wrapped") && !JSON.stringify(shown).includes("wrapped"));
  });
});

describe("keys rotate without a server", () => {
  test("makes a key for each purpose, and says so to people", async () => {
    const copy = copyInstallation(made);
    const { exitCode, stdout, stderr } = await run(copy.dataDir, ["rotate"]);
    assert.equal(exitCode, 0, stderr);
    for (const purpose of ["code_pepper", "name_digest", "attempt_seal", "idempotency_seal"]) {
      assert.match(stdout, new RegExp(`^ {2}${purpose} +\\S+ +used from \\S+Z, older keys end \\S+Z$`, "m"));
    }
    assert.match(stdout, /Codes issued before keep working until they expire\.\n$/);
    copy.remove();
  });

  test("exit 2 for an overlap that is none or longer than any code, exit 4 for a root key that does not fit", async () => {
    const wrong = await run(made.dataDir, ["rotate", "--overlap", "8d"]);
    assert.equal(wrong.exitCode, 2);
    assert.match(wrong.stderr, /^error: --overlap is 8d: .*\nhint: codes live for 7 days/);
    const env = { SPAREKEY_ROOT_KEY: Buffer.alloc(32, 7).toString("base64") };
    for (const command of ["rotate", "rewrap"]) {
      const { exitCode, stderr } = await run(made.dataDir, [command], env);
      assert.equal(exitCode, 4);
      assert.match(stderr, /^error: the root key does not open the keys in the database\nhint: /);
    }
  });
});
