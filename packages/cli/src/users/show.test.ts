import assert from "node:assert/strict";
import { test } from "node:test";
import { janeAccess, janeDetails, janeId, janeLookup } from "../testing/jane.ts";
import { openBench } from "../testing/run-cli.ts";

const accessRoute = `GET /api/v1/users/${janeId}/emergency-access`;
const lookupRoute = "POST /AdminInterface/restapi/v1/users/lookup";

test("show tells who it is, what the code's state is, and in a sentence what it means", async () => {
  await using bench = await openBench({ ...janeLookup, [accessRoute]: { body: janeAccess } });
  const run = await bench.run(["users", "show", "jdoe"]);
  assert.equal(
    run.stdout,
    `Jane Doe (jdoe)
  username  jdoe
  email     jane.doe@example.com
  groups    Sales, VPN
  status    enabled
  id        ${janeId}

emergency access
  code         active
  use          once
  issued       Thu, 6 Aug 2026, 15:34 (Europe/Berlin, GMT+02:00)
  ends         Fri, 7 Aug 2026, 15:34 (Europe/Berlin, GMT+02:00)
  wrong codes  2

the user can sign in with the code until Fri, 7 Aug 2026, 15:34 (Europe/Berlin, GMT+02:00), once
`,
  );
  assert.equal(run.exitCode, 0);
});

test("show with a user id knows the state, not the names", async () => {
  await using bench = await openBench({ [accessRoute]: { body: janeAccess } });
  const { stdout } = await bench.run(["users", "show", janeId, "--json"]);
  assert.deepEqual(JSON.parse(stdout), { user: null, emergencyAccess: janeAccess });
});

test("a username that looks like an email is found too", async () => {
  const missing = { status: 404, body: { code: "404 NOT_FOUND", description: "User j@corp not found" } };
  await using bench = await openBench({
    [lookupRoute]: ({ body }) => ("email" in (body as object) ? missing : { body: janeDetails }),
    [accessRoute]: { body: janeAccess },
  });
  assert.equal((await bench.run(["users", "show", "j@corp"])).exitCode, 0);
});

test("an unknown user is 5", async () => {
  const missing = { status: 404, body: { code: "404 NOT_FOUND", description: "User john\u001B[31m not found" } };
  await using bench = await openBench({ [lookupRoute]: missing });
  const { stderr, exitCode } = await bench.run(["users", "show", "john"]);
  assert.equal(
    stderr,
    "error: user john\uFFFD[31m not found\nhint: USER is a username, alternate username, email or user id\n",
  );
  assert.equal(exitCode, 5);
});

test("enable and disable go by the vendor's wire", async () => {
  const route = `PUT /AdminInterface/restapi/v1/users/${janeId}/userStatus`;
  await using bench = await openBench({
    ...janeLookup,
    [route]: ({ body }) => ({ body: { id: janeId, ...(body as object) } }),
  });
  assert.equal((await bench.run(["users", "disable", "jdoe"])).stdout, "Jane Doe (jdoe) is disabled\n");
  const { stdout } = await bench.run(["users", "enable", "jdoe", "--json"]);
  assert.deepEqual(JSON.parse(stdout), { id: janeId, userStatus: "Enabled" });
});
