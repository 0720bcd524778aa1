import assert from "node:assert/strict";
import { test } from "node:test";
import { createAuthenticationClient, emergencyTokencodeCredential } from "./authentication-client.ts";
import { startScriptedServer } from "./testing/scripted-server.ts";

const clientKey = "k".repeat(64);
const context = { authnAttemptId: "a1", messageId: "m2", inResponseTo: "s1" };

test("each call posts to its path with the client key", async () => {
  await using server = await startScriptedServer(() => ({ body: { accepted: true } }));
  const client = createAuthenticationClient({ serverUrl: server.url, clientKey: `${clientKey}\n` });
  assert.deepEqual(await client.verify({ user: "jdoe", code: "7K3M-9QZX-4TP" }), { accepted: true });
  await client.attempts.initialize({ subjectName: "jdoe", context: { messageId: "m1" } });
  await client.attempts.verify({ context, subjectCredentials: [emergencyTokencodeCredential("7K3M-9QZX-4TP")] });
  await client.attempts.status({ authnAttemptId: "a1" });
  await client.attempts.cancel({ authnAttemptId: "a1" });
  assert.deepEqual(
    server.requests.map(({ method, path }) => `${method} ${path}`),
    ["/api/v1/verify", ...["initialize", "verify", "status", "cancel"].map((call) => `/mfa/v1_1/authn/${call}`)].map(
      (path) => `POST ${path}`,
    ),
  );
  for (const { headers } of server.requests) assert.equal(headers["client-key"], clientKey);
  assert.deepEqual(server.requests[2]?.body, {
    context,
    subjectCredentials: [
      { methodId: "EMERGENCY_TOKENCODE", collectedInputs: [{ name: "EMERGENCY_TOKENCODE", value: "7K3M-9QZX-4TP" }] },
    ],
  });
});

test("a refused code is an answer", async () => {
  await using server = await startScriptedServer(() => ({ body: { accepted: false } }));
  const client = createAuthenticationClient({ serverUrl: server.url, clientKey });
  assert.deepEqual(await client.verify({ user: "jdoe", code: "x" }), { accepted: false });
});

test("401 is a refused client key, 404 a missing attempt", async () => {
  await using server = await startScriptedServer((_, index) => ({
    status: index === 0 ? 401 : 404,
    body: { code: "x", description: "no" },
  }));
  const client = createAuthenticationClient({ serverUrl: server.url, clientKey });
  await assert.rejects(client.attempts.status({ authnAttemptId: "a1" }), { code: "client_key_refused" });
  await assert.rejects(client.attempts.status({ authnAttemptId: "a1" }), { code: "attempt_not_found" });
});

test("a key that no header can carry is refused without being quoted", () => {
  for (const bad of ["", " \n", "secret key", "secret\nkey", "secret\u0000", "sécret"]) {
    assert.throws(
      () => createAuthenticationClient({ serverUrl: "http://localhost", clientKey: bad }),
      (error: Error & { code?: string }) => error.code === "client_key_invalid" && !error.message.includes("secret"),
    );
  }
});
