/**
 * The canary: codes are issued by every route, used, mistyped and put into every field, and then everything that
 * was written is searched for them. A plain code may be in the answer that issued it, and nowhere else.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Answer, type ApiCaller, createApiCaller } from "./api-caller.ts";
import { createInstallation, type Installation, runScript, type ServerProcess, startServer } from "./server-process.ts";

const cli = fileURLToPath(new URL("../packages/cli/src/main.ts", import.meta.url));
const vendor = "/AdminInterface/restapi";

let made: Installation;
let server: ServerProcess;
let api: ApiCaller;
/** Every plain code that was issued. */
const codes: string[] = [];
/** Everything that the server answered, but for the answers that issued a code. */
const answers: string[] = [];

before(async () => {
  made = await createInstallation();
  server = await startServer(made.dataDir, { SPAREKEY_LOG_LEVEL: "trace" });
  api = createApiCaller(server.url, made);
  await useEveryCall();
  await provokeErrors();
});
after(async () => {
  await server?.stop("SIGKILL");
  made.remove();
});

/** Keeps what was answered for the search. */
async function keep(answer: Promise<Answer>): Promise<Answer> {
  const { text, headers, ...rest } = await answer;
  answers.push(text, JSON.stringify([...headers]));
  return { text, headers, ...rest };
}

async function createUser(username: string): Promise<string> {
  const profile = { username, email: `${username}@example.com`, firstName: "Canary", lastName: "Bird" };
  return (await keep(api.admin("POST", "/api/v1/users", profile))).body.id;
}

async function issue(method: string, path: string, body: unknown): Promise<string> {
  const answer = await api.admin(method, path, body);
  assert.equal(answer.status, 200, answer.text);
  const code: string = answer.body.emergencyTokencode ?? answer.body.code;
  codes.push(code);
  // The rest of the answer, and its headers, must not repeat it.
  answers.push(answer.text.replace(code, ""), JSON.stringify([...answer.headers]));
  return code;
}

async function useEveryCall() {
  const [one, two, three] = [
    await createUser("canary.one"),
    await createUser("canary.two"),
    await createUser("canary.three"),
  ];
  const first = await issue("PUT", `${vendor}/v1/users/${one}/emergencyTokencode`, { expirationDays: 1 });
  const second = await issue("PUT", `${vendor}/v2/users/${two}/emergencyTokencode`, { oneTimeUse: true });
  const third = await issue("POST", `/api/v1/users/${three}/emergency-code`, { reason: "lost phone", ticket: "T-1" });
  await verifyByAttempt("canary.one", first);
  for (const code of [second, second.toLowerCase(), third.replaceAll("-", " ")]) {
    await keep(api.client("POST", "/api/v1/verify", { user: "canary.two", code }));
  }
  await keep(api.client("POST", "/api/v1/verify", { user: "canary.three", code: third }));
  await keep(api.admin("POST", `${vendor}/v1/users/lookup`, { username: "canary.one" }));
  await keep(api.admin("GET", `/api/v1/users/${one}/emergency-access`));
  await keep(api.admin("DELETE", `${vendor}/v1/users/${one}/emergencyTokencode/any`));
  await useTheCli(two);
}

async function verifyByAttempt(subjectName: string, value: string) {
  const { body } = await keep(
    api.client("POST", "/mfa/v1_1/authn/initialize", { subjectName, context: { messageId: "1" }, keepAttempt: true }),
  );
  const { authnAttemptId, messageId } = body.context;
  const subjectCredentials = [
    { methodId: "EMERGENCY_TOKENCODE", collectedInputs: [{ name: "EMERGENCY_TOKENCODE", value }] },
  ];
  const context = { authnAttemptId, messageId: "2", inResponseTo: messageId };
  await keep(api.client("POST", "/mfa/v1_1/authn/verify", { context, subjectCredentials }));
  await keep(api.client("POST", "/mfa/v1_1/authn/status", { authnAttemptId }));
}

/** `code issue` shows the code once; nothing else that the tool prints holds it. */
async function useTheCli(userId: string) {
  const run = (args: string[], input = "") =>
    runScript([cli, ...args, "--server", server.url, "--key", made.keyFilePath], { input });
  const issued = JSON.parse((await run(["code", "issue", userId, "--json"])).stdout);
  codes.push(issued.code);
  const verify = ["code", "verify", "canary.two", "--authn-key", join(made.dataDir, "authn-api.key")];
  for (const { stdout, stderr } of [
    await run(verify, `${issued.code}\n`),
    await run([...verify, issued.code]),
    await run(["users", "show", userId]),
    await run(["audit", "tail", "-n", "100", "--json"]),
  ]) {
    answers.push(stdout, stderr);
  }
}

/** The code where it does not belong: names, ids, queries, headers, broken JSON. */
async function provokeErrors() {
  const [code = ""] = codes;
  const context = { messageId: "1" };
  await keep(api.client("POST", "/api/v1/verify", `{"user":"canary.one","code":"${code}"`));
  await keep(api.client("POST", "/api/v1/verify", `{"user":"canary.one",${code}}`));
  await keep(api.client("POST", "/api/v1/verify", { user: "canary.one", code, extra: code }));
  await keep(api.client("POST", "/api/v1/verify", { user: "canary.one", code: [code] }));
  await keep(api.client("POST", "/api/v1/verify", { user: code, code }));
  await keep(
    api.client("POST", "/mfa/v1_1/authn/initialize", { subjectName: code, context, sessionAttributes: [{ code }] }),
  );
  await keep(api.call("POST", "/api/v1/verify", { user: "canary.one", code }, { "client-key": code }));
  await keep(api.call("GET", "/api/v1/settings", undefined, { authorization: `Bearer ${code}` }));
  // These the client itself put into the URL or asked for by name: it may be told, but nothing may be kept.
  await api.admin("GET", `/api/v1/users/${code}/emergency-access?code=${code}`);
  await api.admin("GET", `/${code}?${code}`);
  await api.admin("POST", `${vendor}/v1/users/lookup`, { username: code });
  await api.admin("DELETE", `${vendor}/v1/users/${code}/emergencyTokencode/${code}`);
}

/** Every way in which a code could be written. */
function spellings(code: string): string[] {
  const plain = code.replaceAll("-", "");
  return [
    code,
    plain,
    code.replaceAll("-", " "),
    code.toLowerCase(),
    plain.toLowerCase(),
    Buffer.from(plain).toString("base64").replace(/=+$/, ""),
  ];
}

/** Where any code is found, by the name of the place. */
function findCodes(places: Record<string, string>): string[] {
  return Object.entries(places).flatMap(([place, text]) =>
    codes.flatMap(spellings).flatMap((spelling) => (text.includes(spelling) ? [`${spelling} in ${place}`] : [])),
  );
}

async function everythingWritten(): Promise<Record<string, string>> {
  const files = readdirSync(made.dataDir).map((name) => [name, readFileSync(join(made.dataDir, name), "latin1")]);
  return {
    ...Object.fromEntries(files),
    "the log": server.stdout() + server.stderr(),
    "the metrics": (await api.call("GET", "/metrics")).text,
    "the record": (await api.admin("GET", "/api/v1/audit/events?last=1000")).text,
    "the answers": answers.join("\n"),
  };
}

test("no plain code is anywhere but in the answer that issued it", async () => {
  assert.equal(codes.length, 4);
  const places = await everythingWritten();
  assert.ok(places["sparekey.db"] && places["sparekey.db-wal"], "the database and its log were searched");
  assert.match(places["the log"] ?? "", /emergency-code/);
  assert.match(places["the record"] ?? "", /emergency_code\.verified/);
  assert.deepEqual(findCodes(places), []);
});

test("the search finds a code that was written: in any file, in any spelling", () => {
  const [code = ""] = codes;
  for (const spelling of spellings(code)) {
    assert.deepEqual(findCodes({ planted: `before${spelling}after` }).includes(`${spelling} in planted`), true);
  }
});

test("the record tells an unknown name only as a digest", async () => {
  const { body } = await api.admin("GET", "/api/v1/audit/events?last=1000");
  const unknown = body.events.filter(
    (event: { reason: string }) => event.reason === "unknown_user" || event.reason === "slip",
  );
  assert.ok(unknown.length > 0);
  for (const { userId, details } of unknown) {
    if (userId === null) assert.match(details.nameDigest, /^[\w-]{43}$/);
  }
});
