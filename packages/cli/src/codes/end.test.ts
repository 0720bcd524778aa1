import assert from "node:assert/strict";
import { test } from "node:test";
import { problem } from "../testing/fake-server.ts";
import { janeId, janeLookup } from "../testing/jane.ts";
import { openBench } from "../testing/run-cli.ts";

test("revoke deletes the code", async () => {
  const route = `DELETE /api/v1/users/${janeId}/emergency-code`;
  await using bench = await openBench({ ...janeLookup, [route]: { status: 204 } });
  const run = await bench.run(["code", "revoke", "jdoe"]);
  assert.deepEqual(run, { stdout: "Jane Doe (jdoe) has no emergency code any more\n", stderr: "", exitCode: 0 });
  assert.equal(bench.server.requests.at(-1)?.route, route);
});

test("unlock goes by the vendor's wire", async () => {
  const route = `PATCH /AdminInterface/restapi/v1/users/${janeId}/methods`;
  await using bench = await openBench({ ...janeLookup, [route]: {} });
  const run = await bench.run(["code", "unlock", "jdoe"]);
  assert.equal(run.stdout, "emergency access of Jane Doe (jdoe) is unlocked\n");
  assert.deepEqual(bench.server.requests.at(-1)?.body, { unlockMethods: ["EMERGENCY_TOKENCODE"] });
});

test("a user in a protected group needs another key", async () => {
  const route = `DELETE /api/v1/users/${janeId}/emergency-code`;
  const refusal = problem(
    403,
    "protected_user",
    "The user belongs to a protected group; a Super Administrator must make this call.",
  );
  await using bench = await openBench({ ...janeLookup, [route]: refusal });
  const { stderr, exitCode } = await bench.run(["code", "revoke", "jdoe"]);
  assert.equal(
    stderr,
    "error: the user belongs to a protected group; a Super Administrator must make this call\n" +
      "hint: this call needs a Super Administrator's key; give another one with --key\n",
  );
  assert.equal(exitCode, 4);
});
