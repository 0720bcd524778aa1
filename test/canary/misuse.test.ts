/**
 * A plain code appears in the answer that issues it and in the repeat of that very call, and nowhere else.
 *
 * Real processes at the most talkative log level, codes from every route that issues, every call made, every field
 * misused; then everything that was written is searched for every code.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createSparekeyClient } from "@sparekey/sdk";
import { type Answer, type ApiCaller, changeSettings, createApiCaller } from "../api-caller.ts";
import {
  copyInstallation,
  createInstallation,
  type Installation,
  runScript,
  type ServerProcess,
  startServer,
} from "../server-process.ts";
import { type Provoked, provoke, provokeRaw } from "./provocations.ts";
import { filesIn, findCodes, type Written } from "./search.ts";

const cliMain = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url));
const vendor = "/AdminInterface/restapi";
const methodId = "EMERGENCY_TOKENCODE";

let made: Installation;
let server: ServerProcess;
let caller: ApiCaller;
let userId: string;
/** Every plain code that was issued. */
const codes: string[] = [];
/** Everything but the answers that issued a code. */
const written: Written[] = [];

before(async () => {
  made = await createInstallation();
  server = await startServer(made.dataDir, { SPAREKEY_LOG_LEVEL: "trace" });
  caller = createApiCaller(server.url, made);
  const profile = { username: "jdoe", email: "jdoe@example.com", firstName: "Jane", lastName: "Doe" };
  userId = (await caller.admin("POST", "/api/v1/users", profile)).body.id;
});
after(async () => {
  await server.stop("SIGKILL");
  made.remove();
});

function keep(where: string, ...answers: (Answer | string)[]) {
  for (const answer of answers) {
    const content = typeof answer === "string" ? answer : `${JSON.stringify([...answer.headers])}\n${answer.text}`;
    written.push({ where, content });
  }
}

function keepCode(code: unknown): string {
  assert.match(String(code), /^[0-9A-Z]{4}(-[0-9A-Z]{1,4})+$/);
  codes.push(String(code));
  return String(code);
}

async function issueByOurCall() {
  return keepCode((await caller.admin("POST", `/api/v1/users/${userId}/emergency-code`, {})).body.code);
}

/** Keys of calls that were sent again. They are no secrets, but they open what is sealed, so they are kept nowhere. */
const idempotencyKeys: string[] = [];

/** Issues, sends the call again, and the call with a slip; answers the one code. */
async function issueAgainAndAgain() {
  const key = `canary-key-${idempotencyKeys.length}-of-a-repeated-call`;
  idempotencyKeys.push(key);
  const path = `${vendor}/v2/users/${userId}/emergencyTokencode`;
  const send = (body: unknown) => caller.admin("PUT", path, body, { "idempotency-key": key });
  const first = await send({ oneTimeUse: false });
  const again = await send({ oneTimeUse: false });
  assert.equal(again.headers.get("idempotency-replayed"), "true");
  assert.equal(again.text, first.text);
  keep("refusal of a key that was used", await send({ oneTimeUse: true }));
  keep("refusal of a key that is none", await caller.admin("PUT", path, {}, { "idempotency-key": `"${key}` }));
  return keepCode(again.body.emergencyTokencode);
}

/** Issues with each route and program, and answers the code. */
const issuers: Record<string, () => Promise<string>> = {
  "the vendor's call, version 1": async () =>
    keepCode(
      (await caller.admin("PUT", `${vendor}/v1/users/${userId}/emergencyTokencode`, { expirationDays: 1 })).body
        .emergencyTokencode,
    ),
  "the vendor's call, version 2": async () =>
    keepCode(
      (await caller.admin("PUT", `${vendor}/v2/users/${userId}/emergencyTokencode`, {})).body.emergencyTokencode,
    ),
  "the vendor's call, sent again": issueAgainAndAgain,
  "Sparekey's call": issueByOurCall,
  "the SDK": async () => {
    const sdk = createSparekeyClient({ keyFile: made.keyFile, baseUrl: server.url });
    const issued = await sdk.codes.issue(userId, { reason: "canary", ticket: "INC-1" });
    return keepCode(issued.code);
  },
  "the command-line tool": async () => {
    const { stdout, stderr } = await sparekey(["code", "issue", "jdoe", "--json"]);
    keep("standard error of code issue", stderr);
    return keepCode(JSON.parse(stdout).code);
  },
};

async function sparekey(args: string[], input?: string) {
  const env = { SPAREKEY_CLI_KEY: made.keyFilePath, SPAREKEY_CLI_AUTHN_KEY: join(made.dataDir, "authn-api.key") };
  return runScript([cliMain, ...args, "--server", server.url], { env, ...(input !== undefined && { input }) });
}

/** Everything that can be done with a right code, in the ways that clients do it. */
async function use(code: string) {
  const { client, admin } = caller;
  const credentials = (value: string) => [{ methodId, collectedInputs: [{ name: methodId, value }] }];
  const verified = await client("POST", "/api/v1/verify", { user: "jdoe", code });
  assert.equal(verified.body.accepted, true);
  const begin = { subjectName: "JDOE", context: { messageId: "m1" }, keepAttempt: true };
  const inline = await client("POST", "/mfa/v1_1/authn/initialize", {
    ...begin,
    subjectCredentials: credentials(code.toLowerCase()),
  });
  assert.equal(inline.body.attemptResponseCode, "SUCCESS");
  const begun = await client("POST", "/mfa/v1_1/authn/initialize", begin);
  const context = { ...begun.body.context, inResponseTo: begun.body.context.messageId, messageId: "m2" };
  const finished = await client("POST", "/mfa/v1_1/authn/verify", {
    context,
    subjectCredentials: credentials(code.replaceAll("-", " ")),
  });
  assert.equal(finished.body.attemptResponseCode, "SUCCESS");
  const { authnAttemptId } = context;
  keep("answers to uses", verified, inline, begun, finished);
  keep("attempt status", await client("POST", "/mfa/v1_1/authn/status", { authnAttemptId }));
  keep(
    "attempt cancel",
    await client("POST", "/mfa/v1_1/authn/cancel", { authnAttemptId: inline.body.context.authnAttemptId }),
  );
  for (const path of [`/api/v1/users/${userId}/emergency-access`, "/api/v1/settings", "/api/v1/settings/lint"])
    keep(path, await admin("GET", path));
  keep("lookup", await admin("POST", `${vendor}/v1/users/lookup`, { username: "jdoe" }));
  for (const userStatus of ["Disabled", "Enabled"])
    keep("status", await admin("PUT", `${vendor}/v1/users/${userId}/userStatus`, { userStatus }));
  keep("unlock", await admin("PATCH", `${vendor}/v1/users/${userId}/methods`, { unlockMethods: [methodId] }));
}

async function useCommandLine(code: string) {
  const verified = await sparekey(["code", "verify", "jdoe"], `${code}\n`);
  assert.equal(verified.exitCode, 0, verified.stderr);
  const runs = [
    ["code", "verify", "jdoe", code],
    ["users", "show", "jdoe"],
    ["audit", "tail"],
    ["settings", "get"],
    ["code", "revoke", "jdoe"],
  ];
  for (const { stdout, stderr } of [verified, ...(await Promise.all(runs.map((args) => sparekey(args))))])
    keep("command line", stdout, stderr);
}

/** All that the server has written by now, in files, logs and what it tells about itself. */
async function everythingKept(): Promise<Written[]> {
  const { admin, call } = caller;
  return [
    ...filesIn(made.dataDir),
    { where: "standard output", content: server.stdout() },
    { where: "standard error", content: server.stderr() },
    { where: "metrics", content: (await call("GET", "/metrics")).text },
    { where: "audit events", content: (await admin("GET", "/api/v1/audit/events?limit=1000")).text },
  ];
}

const formats = [
  { alphabet: "symbols", length: 10 },
  { alphabet: "symbols", length: 13 },
  { alphabet: "digits", length: 10 },
];

test("every issuing route, every use, every mistake: the codes are only in the answers that issued them", async () => {
  const provoked: Provoked[] = [];
  for (const codeFormat of formats) {
    await changeSettings(caller, { codeFormat, answerTimeMs: 0, lockout: { tries: 100, lockMinutes: 1 } });
    for (const issue of Object.values(issuers)) {
      const code = await issue();
      await use(code);
      provoked.push(...(await provoke(caller, code, userId)));
      keep("revocation", await caller.admin("DELETE", `${vendor}/v1/users/${userId}/emergencyTokencode/x`));
    }
    const code = await issueByOurCall();
    await useCommandLine(code);
    keep("answers to what is not HTTP", ...(await provokeRaw(server.url, code)));
  }
  assert.equal(new Set(codes).size, formats.length * (Object.keys(issuers).length + 1));
  for (const { what, answer } of provoked) assert.ok(answer.status < 500, `${what}: ${answer.status} ${answer.text}`);
  for (const { what, answer, mayEcho } of provoked) if (!mayEcho) keep(`answer to ${what}`, answer);

  assert.deepEqual(findCodes([...written, ...(await everythingKept())], [...codes, ...idempotencyKeys]), []);
  assert.match(server.stdout(), /"level":"(?:debug|trace)"/, "the log was not talkative");
  await server.stop("SIGTERM");
  assert.deepEqual(
    findCodes([...filesIn(made.dataDir), { where: "log", content: server.stdout() }], [...codes, ...idempotencyKeys]),
    [],
    "after the end",
  );
});

test("control: a code in a table's log, in the log or in an answer would be found", async (t) => {
  const copy = copyInstallation(made);
  t.after(copy.remove);
  const database = new DatabaseSync(join(copy.dataDir, "sparekey.db"));
  t.after(() => database.close());
  const [first = "", second = "", third = ""] = codes;
  // Not yet in the database file: the write-ahead log has it.
  database.prepare("UPDATE users SET first_name = ?").run(`My code is ${first.toLowerCase()}`);
  const found = findCodes(
    [
      ...filesIn(copy.dataDir),
      { where: "log", content: `{"level":"debug","detail":"User ${second.replaceAll("-", "")} not found"}` },
      { where: "answer", content: `{"emergencyTokencode":"${third}"}` },
    ],
    codes,
  );
  const places = found.map((line) => line.split(" in ")[1]);
  assert.deepEqual(places, [join(copy.dataDir, "sparekey.db-wal"), "log", "answer"]);
});
