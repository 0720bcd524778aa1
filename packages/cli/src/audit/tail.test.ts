import assert from "node:assert/strict";
import { test } from "node:test";
import { janeId } from "../testing/jane.ts";
import { accessId, openBench } from "../testing/run-cli.ts";

const route = "GET /api/v1/audit/events";
const issued = {
  sequence: 7,
  id: "e7",
  at: "2026-08-06T13:34:44.000Z",
  action: "emergency_code.issued",
  outcome: "success",
  reason: null,
  actor: { kind: "administrator", id: accessId },
  userId: janeId,
  requestId: "req-1",
  details: { codeId: "c1", expiresAt: "2026-08-07T13:34:44.000Z", oneTime: true, ticket: null },
  personal: { username: "jdoe", reason: "lost\nphone" },
  personalCommitment: "x",
};
const changed = {
  ...issued,
  sequence: 8,
  action: "settings.changed",
  userId: null,
  details: { from: '{"lockout":{"tries":10}}', to: '{"lockout":{"tries":5}}' },
  personal: null,
};
const refused = {
  ...issued,
  sequence: 9,
  action: "emergency_code.verified",
  outcome: "refused",
  reason: "wrong_code",
  actor: { kind: "anonymous", id: null },
  details: {},
  personal: null,
};

test("tail shows the newest events, one a line, in local time", async () => {
  await using bench = await openBench({ [route]: { body: { events: [issued, changed, refused], cursor: 9 } } });
  const run = await bench.run(["audit", "tail", "-n", "3"]);
  assert.equal(
    run.stdout,
    `2026-08-06 15:34:44  emergency_code.issued      success  jdoe  by administrator 0b3ad6c6  expiresAt=2026-08-07 15:34:44  oneTime=true  reason=lost\uFFFDphone
2026-08-06 15:34:44  settings.changed           success  by administrator 0b3ad6c6  lockout.tries: 10 → 5
2026-08-06 15:34:44  emergency_code.verified    refused  ${janeId}  by anonymous  wrong_code
`,
  );
  assert.equal(run.exitCode, 0);
  assert.equal(bench.server.requests[0]?.route, `${route}?last=3`);
});

test("--json is one document a line", async () => {
  await using bench = await openBench({ [route]: { body: { events: [issued, refused], cursor: 9 } } });
  const { stdout } = await bench.run(["audit", "tail", "--json"]);
  assert.deepEqual(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
    [issued, refused],
  );
});

test("--follow goes on after the cursor until the server fails it", async () => {
  await using bench = await openBench({
    [route]: ({ route: path }) =>
      path.endsWith("last=1")
        ? { body: { events: [issued], cursor: 7 } }
        : { status: 403, body: { type: "urn:x", title: "Gone.", code: "token_refused", status: 403, requestId: "r" } },
  });
  const run = await bench.run(["audit", "tail", "-f", "-n", "1", "--json"]);
  assert.equal(run.stdout.split("\n").length, 2);
  assert.equal(bench.server.requests[1]?.route, `${route}?after=7&limit=1000`);
  assert.equal(run.exitCode, 4);
});

test("a number of lines that the server would refuse is a usage error", async () => {
  await using bench = await openBench({});
  for (const lines of ["-1", "1001", "x"])
    assert.equal((await bench.run(["audit", "tail", `--lines=${lines}`])).exitCode, 2);
});
