import assert from "node:assert/strict";
import { test } from "node:test";
import { jwtVerify } from "jose";
import type { SparekeyClient } from "./client.ts";
import { createSparekeyClient } from "./client.ts";
import { SparekeyError } from "./errors.ts";
import type { IssueOptions } from "./idempotency.ts";
import { keyFileFor, testPublicKey } from "./testing/key-files.ts";
import { type ScriptedReply, startScriptedServer } from "./testing/scripted-server.ts";

/** What one call sent, and what it gave back. */
async function call<T>(reply: ScriptedReply, use: (client: SparekeyClient) => Promise<T>) {
  await using server = await startScriptedServer(() => reply);
  const result = await use(createSparekeyClient({ keyFile: keyFileFor(server.url) }));
  const [request] = server.requests;
  assert.equal(server.requests.length, 1);
  assert.ok(request);
  return { result, sent: `${request.method} ${request.path}`, request };
}

test("every call carries a token that the key's public half verifies", async () => {
  const { request } = await call({ body: {} }, (client) => client.codes.access("u1"));
  const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
  await jwtVerify(token, testPublicKey, { algorithms: ["RS256"], typ: "JWT" });
});

const vendorUser = "/AdminInterface/restapi/v1/users/u1";
const calls: [string, unknown, (client: SparekeyClient) => Promise<unknown>][] = [
  [
    `PUT ${vendorUser}/emergencyTokencode`,
    { expirationDays: "7" },
    ({ vendor }) => vendor.enableEmergencyTokencodeV1("u1", { expirationDays: "7" }),
  ],
  [
    "PUT /AdminInterface/restapi/v2/users/u1/emergencyTokencode",
    {},
    ({ vendor }) => vendor.enableEmergencyTokencode("u1"),
  ],
  [
    `DELETE ${vendorUser}/emergencyTokencode/c1`,
    undefined,
    ({ vendor }) => vendor.disableEmergencyTokencode("u1", "c1"),
  ],
  [`DELETE ${vendorUser}/emergencyTokencodes`, undefined, ({ vendor }) => vendor.disableEmergencyTokencodes("u1")],
  [
    "POST /AdminInterface/restapi/v1/users/lookup",
    { email: "a@example.com" },
    ({ vendor }) => vendor.lookupUser({ email: "a@example.com" }),
  ],
  [`PUT ${vendorUser}/userStatus`, { userStatus: "Disabled" }, ({ vendor }) => vendor.setUserStatus("u1", "Disabled")],
  [`PATCH ${vendorUser}/methods`, { unlockMethods: ["TOKEN"] }, ({ vendor }) => vendor.unlockMethods("u1", ["TOKEN"])],
  [`PATCH ${vendorUser}/methods`, { unlockMethods: ["EMERGENCY_TOKENCODE"] }, ({ codes }) => codes.unlock("u1")],
  ["POST /api/v1/users/u1/emergency-code", {}, ({ codes }) => codes.issue("u1")],
  ["POST /api/v1/users/u1/emergency-code", { oneTime: true }, ({ codes }) => codes.issue("u1", { oneTime: true })],
  ["DELETE /api/v1/users/u1/emergency-code", undefined, ({ codes }) => codes.revoke("u1")],
  ["GET /api/v1/users/u1/emergency-access", undefined, ({ codes }) => codes.access("u1")],
  ["GET /api/v1/settings/lint", undefined, ({ settings }) => settings.lint()],
];

for (const [expected, body, use] of calls) {
  test(`${expected} ${JSON.stringify(body) ?? ""}`, async () => {
    const { sent, request } = await call({ body: {} }, use);
    assert.equal(sent, expected);
    assert.deepEqual(request.body, body);
  });
}

/** Each issuing call: by itself, and with a key of the caller's. */
const issuing: [string, (client: SparekeyClient, options?: IssueOptions) => Promise<unknown>, boolean][] = [
  ["codes.issue", ({ codes }, options) => codes.issue("u1", {}, options), true],
  ["enableEmergencyTokencode", ({ vendor }, options) => vendor.enableEmergencyTokencode("u1", {}, options), false],
  [
    "enableEmergencyTokencodeV1",
    ({ vendor }, options) => vendor.enableEmergencyTokencodeV1("u1", { expirationDays: 1 }, options),
    false,
  ],
];

for (const [name, issue, retriesByItself] of issuing) {
  /** The keys of all tries of a call whose first two answers are lost. */
  async function keysOfTries(options?: IssueOptions): Promise<unknown[]> {
    await using server = await startScriptedServer((_, index) => (index < 2 ? { hangUp: true } : { body: {} }));
    const client = createSparekeyClient({ keyFile: keyFileFor(server.url), sleep: async () => {} });
    await issue(client, options).catch(() => undefined);
    return server.requests.map(({ headers }) => headers["idempotency-key"]);
  }

  test(`${name} sends one key with every try, another with every call`, async () => {
    const [first, second] = [await keysOfTries(), await keysOfTries()];
    assert.match(String(first[0]), /^"[0-9a-f-]{36}"$/);
    assert.equal(first.length, retriesByItself ? 3 : 1);
    assert.equal(new Set(first).size, 1);
    assert.notEqual(first[0], second[0]);
  });

  test(`${name} takes a key of the caller's, and tries again under it`, async () => {
    const keys = await keysOfTries({ idempotencyKey: 'INC-4711 "first" \\ code' });
    assert.deepEqual(keys, Array(3).fill('"INC-4711 \\"first\\" \\\\ code"'));
  });

  test(`${name} refuses what is no key before anything is sent`, async () => {
    for (const idempotencyKey of ["", "too short", "k".repeat(256), `${"k".repeat(20)}\n`, `${"k".repeat(20)}é`]) {
      await using server = await startScriptedServer(() => ({ body: {} }));
      const client = createSparekeyClient({ keyFile: keyFileFor(server.url) });
      await assert.rejects(issue(client, { idempotencyKey }), TypeError);
      assert.equal(server.requests.length, 0);
    }
  });
}

test("upsert tells a new user from a changed one by the status", async () => {
  const user = { username: "jdoe", email: "j@example.com", firstName: "J", lastName: "Doe" };
  const created = await call({ status: 201, body: { id: "u1" } }, ({ users }) => users.upsert(user));
  assert.equal(created.sent, "POST /api/v1/users");
  assert.deepEqual(created.request.body, user);
  assert.deepEqual(created.result, { created: true, user: { id: "u1" } });
  const updated = await call({ status: 200, body: { id: "u1" } }, ({ users }) => users.upsert(user));
  assert.equal(updated.result.created, false);
});

test("upsertBatch sends an array", async () => {
  const { request } = await call({ body: {} }, ({ users }) => users.upsertBatch([]));
  assert.deepEqual(request.body, []);
});

test("the settings' etag goes from get to put", async () => {
  const read = await call({ headers: { etag: '"12"' }, body: { attemptTries: 3 } }, ({ settings }) => settings.get());
  assert.deepEqual(read.result, { settings: { attemptTries: 3 }, etag: '"12"', version: 12 });
  const written = await call({ headers: { etag: 'W/"13"' }, body: {} }, ({ settings }) =>
    settings.put(read.result.settings, read.result.etag),
  );
  assert.equal(written.sent, "PUT /api/v1/settings");
  assert.equal(written.request.headers["if-match"], '"12"');
  assert.deepEqual([written.result.etag, written.result.version], ['"13"', 13]);
});

test("settings without an etag are an error, not a blind write later", async () => {
  await assert.rejects(
    call({ body: {} }, ({ settings }) => settings.get()),
    SparekeyError,
  );
});

test("an id cannot leave its place in the path", async () => {
  const { sent } = await call({ body: {} }, ({ codes }) => codes.access("../../x?y"));
  assert.equal(sent, "GET /api/v1/users/..%2F..%2Fx%3Fy/emergency-access");
  await assert.rejects(
    call({ body: {} }, ({ codes }) => codes.revoke("..")),
    TypeError,
  );
});

test("baseUrl moves the calls and leaves the token's audience", async () => {
  await using server = await startScriptedServer(() => ({ body: {} }));
  await createSparekeyClient({ keyFile: keyFileFor("https://codes.example.com"), baseUrl: server.url }).codes.access(
    "u1",
  );
  const token = (server.requests[0]?.headers.authorization ?? "").replace(/^Bearer /, "");
  await jwtVerify(token, testPublicKey, { audience: "https://codes.example.com/AdminInterface/restapi" });
});

test("a private key that cannot be read fails the first call before anything is sent", async () => {
  await using server = await startScriptedServer(() => ({ body: {} }));
  const client = createSparekeyClient({ keyFile: { ...keyFileFor(server.url), accessKey: "no key" } });
  await assert.rejects(client.codes.access("u1"), { code: "private_key_unreadable" });
  assert.equal(server.requests.length, 0);
});
