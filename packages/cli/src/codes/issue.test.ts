import assert from "node:assert/strict";
import { test } from "node:test";
import { problem } from "../testing/fake-server.ts";
import { janeId, janeLookup } from "../testing/jane.ts";
import { openBench } from "../testing/run-cli.ts";

const route = `POST /api/v1/users/${janeId}/emergency-code`;
const issued = {
  id: "6f1f8f0e-1c39-4c6c-8d0b-6e3d2a1b5c77",
  userId: janeId,
  code: "7K3M-9QZX-4TP",
  issuedAt: "2026-08-06T13:34:44.000Z",
  expiresAt: "2026-08-09T13:34:44.000Z",
  offlineExpiresAt: null,
  settings: {
    lifetime: { value: 3, unit: "days", source: "asked" },
    oneTime: { value: true, source: "lock" },
  },
};

test("issue shows the code once, how to read it, its end in local time and where the settings came from", async () => {
  await using bench = await openBench({ ...janeLookup, [route]: { body: issued } });
  const args = ["code", "issue", "jdoe", "--days", "3", "--no-one-time", "--reason", "lost phone", "--ticket", "INC-1"];
  const { stdout, stderr, exitCode } = await bench.run(args);
  assert.equal(
    stdout,
    `emergency code for Jane Doe (jdoe)

     7K3M-9QZX-4TP 

read aloud  seven · Kilo · three · Mike, nine · Quebec · Zulu · X-ray, four · Tango · Papa
ends        Sun, 9 Aug 2026, 15:34 (Europe/Berlin, GMT+02:00)
lifetime    3 days (as asked)
use         once (locked by the company)

no one can show this code again
`,
  );
  assert.equal(stderr, "");
  assert.equal(exitCode, 0);
  assert.deepEqual(bench.server.requests.at(-1)?.body, {
    lifetime: { value: 3, unit: "days" },
    oneTime: false,
    reason: "lost phone",
    ticket: "INC-1",
  });
});

test("issue asks for nothing that was not asked, and answers JSON as the server gave it", async () => {
  await using bench = await openBench({ ...janeLookup, [route]: { body: issued } });
  const { stdout } = await bench.run(["code", "issue", "jane.doe@example.com", "--json"]);
  assert.deepEqual(JSON.parse(stdout), issued);
  assert.deepEqual(
    bench.server.requests.map(({ body }) => body),
    [{ email: "jane.doe@example.com" }, {}],
  );
});

test("issue for a user id looks nothing up", async () => {
  await using bench = await openBench({ [route]: { body: issued } });
  const { exitCode } = await bench.run(["code", "issue", janeId, "--minutes", "10", "--one-time"]);
  assert.equal(exitCode, 0);
  assert.deepEqual(
    bench.server.requests.map(({ body }) => body),
    [{ lifetime: { value: 10, unit: "minutes" }, oneTime: true }],
  );
});

test("issue names the call as it was told, and by itself otherwise", async () => {
  await using bench = await openBench({ [route]: { body: issued } });
  const key = "INC-4711-first-code";
  const { stdout, exitCode } = await bench.run(["code", "issue", janeId, "--idempotency-key", key]);
  assert.equal(exitCode, 0);
  assert.match(stdout, /\nonly this command with this key can show this code again, for 10 minutes\n$/);
  assert.equal((await bench.run(["code", "issue", janeId])).exitCode, 0);
  const [given, own] = bench.server.requests.map(({ headers }) => headers["idempotency-key"]);
  assert.equal(given, `"${key}"`);
  assert.match(String(own), /^"[0-9a-f-]{36}"$/);
  const slip = await bench.run(["code", "issue", janeId, "--idempotency-key", "short"]);
  assert.equal(slip.exitCode, 2);
  assert.match(slip.stderr, /it must be 16 to 255 printable ASCII characters/);
  assert.equal(bench.server.requests.length, 2);
});

test("a key that belongs to another call is a conflict, with the way out", async () => {
  const refusal = problem(422, "idempotency_key_reused", "This Idempotency-Key belongs to another request.");
  await using bench = await openBench({ [route]: refusal });
  const { stderr, exitCode } = await bench.run(["code", "issue", janeId, "--idempotency-key", "k".repeat(16)]);
  assert.match(stderr, /hint: a key names one call; give this one another --idempotency-key\n$/);
  assert.equal(exitCode, 6);
});

test("two lifetimes at once, or one that is no number, are usage errors and send nothing", async () => {
  await using bench = await openBench({});
  const both = await bench.run(["code", "issue", "jdoe", "--days", "1", "--hours", "1"]);
  assert.equal(both.exitCode, 2);
  assert.match(both.stderr, /^error: option '--days <n>' cannot be used with option '--hours <n>'\nhint: /);
  for (const days of ["0", "1.5", "-1", "x", ""]) {
    assert.equal((await bench.run(["code", "issue", "jdoe", `--days=${days}`])).exitCode, 2);
  }
  assert.equal(bench.server.requests.length, 0);
});

test("a disabled user is a conflict, with the way out", async () => {
  const refusal = problem(400, "user_disabled", "The user is disabled.");
  await using bench = await openBench({ ...janeLookup, [route]: refusal });
  const { stdout, stderr, exitCode } = await bench.run(["code", "issue", "jdoe"]);
  assert.equal(stdout, "");
  assert.equal(stderr, "error: the user is disabled\nhint: enable the user first: sparekey users enable USER\n");
  assert.equal(exitCode, 6);
});

test("the zone is that of the person at the terminal", async () => {
  await using bench = await openBench({ [route]: { body: issued } });
  const ends = async (zone: string) =>
    (await bench.run(["code", "issue", janeId], { env: { TZ: zone } })).stdout.split("\n")[5];
  assert.equal(await ends("UTC"), "ends        Sun, 9 Aug 2026, 13:34 (UTC)");
  assert.equal(await ends("America/New_York"), "ends        Sun, 9 Aug 2026, 09:34 (America/New_York, GMT-04:00)");
});
