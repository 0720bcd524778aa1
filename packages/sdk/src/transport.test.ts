import assert from "node:assert/strict";
import { test } from "node:test";
import { SparekeyConnectionError, SparekeyError } from "./errors.ts";
import type { ServerRequest } from "./exchange.ts";
import { type Script, startScriptedServer } from "./testing/scripted-server.ts";
import { createTransport, type TransportOptions } from "./transport.ts";

/** Sends one request to a server that answers by script; tells the outcome and every wait. */
async function run(script: Script, request: Partial<ServerRequest> = {}, options: TransportOptions = {}) {
  await using server = await startScriptedServer(script);
  const waitsMs: number[] = [];
  const wire = {
    credentials: async () => ({ authorization: "Bearer secret-token" }),
    meanings: { 403: "access_denied" } as const,
  };
  const send = createTransport(wire, { random: () => 0, sleep: async (ms) => void waitsMs.push(ms), ...options });
  const outcome = await send({ method: "PUT", url: `${server.url}/path`, ...request }).catch((error: unknown) => error);
  return { outcome, waitsMs, requests: server.requests };
}

const busy = (status: number, retryAfter?: string) => ({
  status,
  headers: retryAfter === undefined ? {} : { "retry-after": retryAfter },
  body: { code: `${status} BUSY`, description: "busy" },
});

test("a request carries credentials and JSON, and its answer is parsed", async () => {
  const { outcome, requests } = await run(() => ({ status: 201, body: { id: 1 } }), { body: { a: "é" } });
  assert.deepEqual((outcome as { body: unknown }).body, { id: 1 });
  assert.equal((outcome as { status: number }).status, 201);
  assert.deepEqual(requests[0]?.body, { a: "é" });
  assert.equal(requests[0]?.headers.authorization, "Bearer secret-token");
  assert.equal(requests[0]?.headers["content-type"], "application/json");
});

test("no body is sent when there is none, and an empty answer is undefined", async () => {
  const { outcome, requests } = await run(() => ({ status: 204 }), { method: "DELETE" });
  assert.equal((outcome as { body: unknown }).body, undefined);
  assert.equal(requests[0]?.headers["content-type"], undefined);
});

for (const status of [429, 503]) {
  test(`${status} is tried again after as many seconds as Retry-After says`, async () => {
    const { outcome, waitsMs, requests } = await run((_, index) => (index < 2 ? busy(status, "3") : { body: {} }));
    assert.equal((outcome as { status: number }).status, 200);
    assert.deepEqual(waitsMs, [3_000, 3_000]);
    assert.equal(requests.length, 3);
  });
}

test("429 without Retry-After backs off by itself, with jitter on top", async () => {
  const { waitsMs } = await run((_, index) => (index < 2 ? busy(429) : { body: {} }), {}, { random: () => 0.5 });
  assert.deepEqual(waitsMs, [575, 1_100]);
});

test("503 without Retry-After is not repeated for a write: a proxy may have lost the answer", async () => {
  const write = await run(() => busy(503));
  assert.equal(write.requests.length, 1);
  const read = await run((_, index) => (index === 0 ? busy(503) : { body: {} }), { method: "GET" });
  assert.equal(read.requests.length, 2);
});

test("the number of tries is bounded", async () => {
  const { outcome, requests } = await run(() => busy(429, "1"), {}, { maxRetries: 2 });
  assert.equal(requests.length, 3);
  assert.ok(outcome instanceof SparekeyError);
  assert.equal(outcome.code, "too_many_requests");
});

test("the time that all tries wait together is bounded, and the error tells what was asked for", async () => {
  const { outcome, waitsMs } = await run(() => busy(429, "50"), {}, { maxRetryWaitMs: 120_000 });
  assert.deepEqual(waitsMs, [50_000, 50_000]);
  assert.equal((outcome as SparekeyError).retryAfterSeconds, 50);
  const never = await run(() => busy(503, "86400"));
  assert.deepEqual(never.waitsMs, []);
});

for (const status of [400, 403, 404, 409, 412, 500, 502, 504]) {
  test(`${status} is not tried again`, async () => {
    const { requests } = await run(() => busy(status, "1"), { method: "GET" });
    assert.equal(requests.length, 1);
  });
}

for (const method of ["PUT", "POST", "PATCH", "DELETE"] as const) {
  test(`a lost connection is not tried again for ${method}`, async () => {
    const { outcome, requests, waitsMs } = await run(() => ({ hangUp: true }), { method });
    assert.equal(requests.length, 1);
    assert.deepEqual(waitsMs, []);
    assert.ok(outcome instanceof SparekeyConnectionError);
    assert.equal(outcome.code, "connection_failed");
  });
}

test("a lost connection is tried again for GET", async () => {
  const { outcome, requests } = await run((_, index) => (index === 0 ? { hangUp: true } : { body: {} }), {
    method: "GET",
  });
  assert.equal((outcome as { status: number }).status, 200);
  assert.equal(requests.length, 2);
});

for (const [what, reply] of [
  ["a lost connection", { hangUp: true }],
  ["503 without Retry-After", busy(503)],
] as const) {
  test(`${what} is tried again for a call that is done once however often it is sent`, async () => {
    const request = { method: "POST", repeatable: true } as const;
    const { outcome, requests } = await run((_, index) => (index < 2 ? reply : { body: {} }), request);
    assert.equal((outcome as { status: number }).status, 200);
    assert.equal(requests.length, 3);
  });
}

test("409 is tried again when it says when, and that for a call with a key alone", async () => {
  const headers = { "idempotency-key": '"a key of the test"' };
  const script = (retryAfter?: string) => (_: unknown, index: number) =>
    index === 0 ? busy(409, retryAfter) : { body: {} };
  const { outcome, waitsMs } = await run(script("1"), { headers });
  assert.equal((outcome as { status: number }).status, 200);
  assert.deepEqual(waitsMs, [1_000]);
  assert.equal((await run(script(), { headers })).requests.length, 1);
  assert.equal((await run(script("1"))).requests.length, 1);
});

test("an answer that does not come is timed_out", async () => {
  const { outcome } = await run(() => ({ silent: true }), {}, { timeoutMs: 50 });
  assert.ok(outcome instanceof SparekeyConnectionError);
  assert.equal(outcome.code, "timed_out");
});

test("a redirect is not followed, so the token stays where it was sent", async () => {
  const { outcome, requests } = await run(() => ({ status: 307, headers: { location: "/elsewhere" } }));
  assert.equal(requests.length, 1);
  assert.equal((outcome as SparekeyError).status, 307);
  assert.match((outcome as SparekeyError).message, /redirect/);
});

test("a success that is not JSON is an error that doubts the address", async () => {
  const { outcome } = await run(() => ({ body: "<html>welcome</html>" }));
  assert.ok(outcome instanceof SparekeyError);
  assert.match(outcome.message, /not JSON/);
});

test("no error holds the credentials", async () => {
  const outcomes = [
    await run(() => busy(403)),
    await run(() => ({ hangUp: true })),
    await run(() => ({ silent: true }), {}, { timeoutMs: 30 }),
  ];
  for (const { outcome } of outcomes) {
    const { message, stack, cause } = outcome as Error;
    assert.ok(!`${message}${stack}${String(cause)}`.includes("secret-token"));
  }
});
