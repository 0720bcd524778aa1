import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeRoutes, problem } from "../testing/fake-server.ts";
import { openBench } from "../testing/run-cli.ts";

const settings = {
  onlineEmergencyCode: { expiryUnit: "days", expiryValue: 1, oneTimeUse: false, locked: false },
  lockout: { tries: 10, lockMinutes: 30 },
  protectedGroups: ["Domain Admins"],
};

const routes: FakeRoutes = {
  "GET /api/v1/settings": { headers: { etag: '"4"' }, body: settings },
  "PUT /api/v1/settings": ({ body }) => ({ headers: { etag: '"5"' }, body }),
};

test("get shows a dotted key and a value a line", async () => {
  await using bench = await openBench(routes);
  const run = await bench.run(["settings", "get"]);
  assert.equal(
    run.stdout,
    `onlineEmergencyCode.expiryUnit   days
onlineEmergencyCode.expiryValue  1
onlineEmergencyCode.oneTimeUse   false
onlineEmergencyCode.locked       false
lockout.tries                    10
lockout.lockMinutes              30
protectedGroups                  ["Domain Admins"]
`,
  );
  const json = await bench.run(["settings", "get", "--json"]);
  assert.deepEqual(JSON.parse(json.stdout), { version: 4, settings });
});

test("set changes what is named, leaves the rest, and makes sure nobody was faster", async () => {
  await using bench = await openBench(routes);
  const args = [
    "onlineEmergencyCode.locked=true",
    "onlineEmergencyCode.expiryUnit=minutes",
    'protectedGroups=["A","B=C"]',
  ];
  const run = await bench.run(["settings", "set", ...args]);
  assert.equal(
    run.stdout,
    `onlineEmergencyCode.expiryUnit: days → minutes
onlineEmergencyCode.locked: false → true
protectedGroups: ["Domain Admins"] → ["A","B=C"]
`,
  );
  const request = bench.server.requests.at(-1);
  assert.equal(request?.headers["if-match"], '"4"');
  assert.deepEqual(request?.body, {
    ...settings,
    onlineEmergencyCode: { ...settings.onlineEmergencyCode, expiryUnit: "minutes", locked: true },
    protectedGroups: ["A", "B=C"],
  });
});

test("set to what is there already writes nothing", async () => {
  await using bench = await openBench(routes);
  const run = await bench.run(["settings", "set", "lockout.tries=10"]);
  assert.deepEqual(run, { stdout: "nothing changed\n", stderr: "", exitCode: 0 });
  assert.equal(bench.server.requests.length, 1);
});

test("set that was overtaken is 6 and says to run it again", async () => {
  const overtaken = problem(
    412,
    "settings_changed",
    "The settings were changed since they were read; read them again.",
  );
  await using bench = await openBench({ ...routes, "PUT /api/v1/settings": overtaken });
  const { stderr, exitCode } = await bench.run(["settings", "set", "lockout.tries=5"]);
  assert.match(stderr, /\nhint: someone else was faster; run the command again\n$/);
  assert.equal(exitCode, 6);
});

test("a name that is no setting changes nothing", async () => {
  await using bench = await openBench(routes);
  for (const key of ["lockout.tires", "lockout.tries.x", "__proto__", "constructor.name", "lockout..tries", ""]) {
    const { stderr, exitCode } = await bench.run(["settings", "set", `${key}=1`]);
    assert.match(stderr, /^error: (no setting is called|not KEY=VALUE)/, key);
    assert.equal(exitCode, 2);
  }
  assert.ok(bench.server.requests.every(({ route }) => route.startsWith("GET ")));
});

test("lint is 1 when there are findings and 0 when there are none", async () => {
  const finding = {
    standard: "NIST SP 800-63B-4",
    clause: "4.2.1.2",
    setting: "onlineEmergencyCode.oneTimeUse",
    message: "A recovery code succeeds once; these succeed until they end.",
    remedy: "onlineEmergencyCode.oneTimeUse=true",
  };
  await using bench = await openBench({ "GET /api/v1/settings/lint": { body: { version: 4, findings: [finding] } } });
  const run = await bench.run(["settings", "lint"]);
  assert.equal(
    run.stdout,
    `NIST SP 800-63B-4, 4.2.1.2: onlineEmergencyCode.oneTimeUse
  A recovery code succeeds once; these succeed until they end.
  remedy: sparekey settings set onlineEmergencyCode.oneTimeUse=true
`,
  );
  assert.equal(run.exitCode, 1);
  await using clean = await openBench({ "GET /api/v1/settings/lint": { body: { version: 4, findings: [] } } });
  assert.deepEqual(await clean.run(["settings", "lint"]), { stdout: "no findings\n", stderr: "", exitCode: 0 });
});
