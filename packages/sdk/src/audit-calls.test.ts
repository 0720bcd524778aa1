import assert from "node:assert/strict";
import { test } from "node:test";
import type { FollowAudit } from "./audit-calls.ts";
import { createSparekeyClient } from "./client.ts";
import { keyFileFor } from "./testing/key-files.ts";
import { startScriptedServer } from "./testing/scripted-server.ts";

const page = (from: number, count: number) => ({
  events: Array.from({ length: count }, (_, index) => ({ sequence: from + index })),
  cursor: from + count - 1,
});

/** Follows a record that comes in these pages, until the last page was read. */
async function follow(pages: object[], options: FollowAudit) {
  const stop = new AbortController();
  const pausesMs: number[] = [];
  await using server = await startScriptedServer((_, index) => ({ body: pages[index] }));
  const sleep = async (ms: number) => {
    pausesMs.push(ms);
    if (server.requests.length === pages.length) stop.abort();
  };
  const client = createSparekeyClient({ keyFile: keyFileFor(server.url), sleep });
  const sequences: number[] = [];
  for await (const event of client.audit.follow({ ...options, signal: stop.signal })) sequences.push(event.sequence);
  return { sequences, pausesMs, paths: server.requests.map(({ path }) => path) };
}

test("events are asked for by the query, and what is not given is left out", async () => {
  await using server = await startScriptedServer(() => ({ body: page(1, 1) }));
  const client = createSparekeyClient({ keyFile: keyFileFor(server.url) });
  await client.audit.events({ after: 0, limit: 5, action: "user.created", userId: "a&b" });
  await client.audit.events();
  assert.deepEqual(
    server.requests.map(({ path }) => path),
    ["/api/v1/audit/events?after=0&limit=5&action=user.created&userId=a%26b", "/api/v1/audit/events"],
  );
});

test("following begins with the newest and goes on after the cursor, pausing when nothing is new", async () => {
  const { sequences, pausesMs, paths } = await follow([page(8, 2), page(10, 0), page(10, 1)], {
    last: 2,
    pollIntervalMs: 70,
  });
  assert.deepEqual(sequences, [8, 9, 10]);
  assert.deepEqual(pausesMs, [70, 70, 70]);
  assert.deepEqual(paths, [
    "/api/v1/audit/events?last=2",
    "/api/v1/audit/events?after=9&limit=1000",
    "/api/v1/audit/events?after=9&limit=1000",
  ]);
});

test("a full page is followed by the next at once", async () => {
  const { sequences, pausesMs } = await follow([page(1, 1_000), page(1_001, 3)], { after: 0 });
  assert.equal(sequences.length, 1_003);
  assert.equal(pausesMs.length, 1);
});

test("filters go with every page", async () => {
  const { paths } = await follow([page(1, 0), page(1, 0)], { action: "emergency_code.issued", userId: "u1" });
  assert.deepEqual(paths, [
    "/api/v1/audit/events?action=emergency_code.issued&userId=u1&last=0",
    "/api/v1/audit/events?action=emergency_code.issued&userId=u1&after=0&limit=1000",
  ]);
});
