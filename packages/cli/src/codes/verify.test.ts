import assert from "node:assert/strict";
import { test } from "node:test";
import { problem } from "../testing/fake-server.ts";
import { clientKey, openBench } from "../testing/run-cli.ts";

const route = "POST /api/v1/verify";
const code = "7K3M-9QZX-4TP";

test("an accepted code is 0, read from stdin and sent with the client key", async () => {
  await using bench = await openBench({ [route]: { body: { accepted: true } } });
  const run = await bench.run(["code", "verify", "jdoe"], { stdin: `${code}\nmore\n` });
  assert.deepEqual(run, { stdout: "accepted\n", stderr: "", exitCode: 0 });
  const [request] = bench.server.requests;
  assert.deepEqual(request?.body, { user: "jdoe", code });
  assert.equal(request?.headers["client-key"], clientKey);
  assert.equal(request?.headers.authorization, undefined);
});

test("a refused code is 1 and no error", async () => {
  await using bench = await openBench({ [route]: { body: { accepted: false } } });
  const plain = await bench.run(["code", "verify", "jdoe"], { stdin: code });
  assert.deepEqual(plain, { stdout: "refused\n", stderr: "", exitCode: 1 });
  const json = await bench.run(["code", "verify", "jdoe", "--json"], { stdin: code });
  assert.deepEqual([JSON.parse(json.stdout), json.exitCode], [{ accepted: false }, 1]);
});

test("--server and --authn-key are all it takes", async () => {
  await using bench = await openBench({ [route]: { body: { accepted: true } } });
  bench.write("other.key", clientKey);
  const args = ["code", "verify", "jdoe", "--server", bench.server.url, "--authn-key", "other.key", "--key", "missing"];
  assert.equal((await bench.run(args, { stdin: code })).exitCode, 0);
});

test("a code among the arguments is refused, and not repeated", async () => {
  await using bench = await openBench({});
  const { stdout, stderr, exitCode } = await bench.run(["code", "verify", "jdoe", code]);
  assert.equal(exitCode, 2);
  assert.match(stderr, /^error: a code does not belong among the arguments\nhint: /);
  assert.ok(!`${stdout}${stderr}`.includes(code));
});

test("no code at all is a usage error", async () => {
  await using bench = await openBench({});
  const { stderr, exitCode } = await bench.run(["code", "verify", "jdoe"], { stdin: " \n" });
  assert.equal(stderr, "error: no code given\nhint: type it at the prompt, or send it to stdin\n");
  assert.equal(exitCode, 2);
});

test("a refused client key is 4", async () => {
  await using bench = await openBench({
    [route]: problem(401, "client_key_refused", "The Authentication API key was refused."),
  });
  const { stderr, exitCode } = await bench.run(["code", "verify", "jdoe"], { stdin: code });
  assert.match(stderr, /^error: the Authentication API key was refused\nhint: /);
  assert.equal(exitCode, 4);
});

test("key files that others can open are used with a warning", { skip: process.platform === "win32" }, async () => {
  await using bench = await openBench({ [route]: { body: { accepted: true } } });
  bench.write("open.key", clientKey, 0o644);
  const run = await bench.run(["code", "verify", "jdoe", "--authn-key", "open.key"], { stdin: code });
  assert.equal(run.stderr, "warning: others on this machine can open open.key\nhint: chmod 600 open.key\n");
  assert.equal(run.exitCode, 0);
});
