import assert from "node:assert/strict";
import { test } from "node:test";
import { exitCodes } from "./exit-codes.ts";
import { createProgram } from "./program.ts";
import { accessId, keyFileText, openBench } from "./testing/run-cli.ts";

const users = "GET /api/v1/settings";

test("--help lists the commands and every exit code", async () => {
  await using bench = await openBench({});
  const { stdout, exitCode } = await bench.run(["--help"]);
  assert.equal(exitCode, 0);
  for (const name of ["users", "code", "settings", "audit"]) assert.match(stdout, new RegExp(`^  ${name} `, "m"));
  for (const { number, meaning } of Object.values(exitCodes))
    assert.match(stdout, new RegExp(`^  ${number} +${meaning}$`, "m"));
});

test("every command has a description and examples, and every example names it", () => {
  for (const group of createProgram().commands) {
    assert.notEqual(group.description(), "", group.name());
    for (const command of group.commands) {
      let help = "";
      command
        .configureOutput({
          writeOut: (text) => {
            help += text;
          },
        })
        .outputHelp();
      assert.notEqual(command.description(), "", command.name());
      const examples = help.split("Examples:\n")[1]?.trimEnd().split("\n") ?? [];
      assert.ok(examples.length > 0, `${command.name()} has no example`);
      for (const example of examples) assert.match(example, new RegExp(`sparekey ${group.name()} ${command.name()}`));
    }
  }
});

test("a slip in a command is 2, in error and hint", async () => {
  await using bench = await openBench({});
  for (const args of [
    ["user"],
    ["users", "shwo", "x"],
    ["users", "show"],
    ["settings", "get", "--jason"],
    ["settings", "set"],
    [],
  ]) {
    const { exitCode, stdout } = await bench.run(args);
    assert.equal(exitCode, 2, args.join(" "));
    assert.equal(stdout, "");
  }
  const { stderr } = await bench.run(["users", "show"]);
  assert.equal(
    stderr,
    "error: missing required argument 'user'\nhint: add --help to the command to see how it is used\n",
  );
});

test("the key comes from --key, then SPAREKEY_CLI_KEY, then the only one in ./data", async () => {
  await using bench = await openBench({ [users]: { headers: { etag: '"1"' }, body: {} } });
  bench.write("mine.key", keyFileText(bench.server.url));
  const broken = { SPAREKEY_CLI_KEY: "nowhere.key" };
  assert.equal((await bench.run(["settings", "get"])).exitCode, 0);
  assert.equal((await bench.run(["settings", "get", "--key", "mine.key"], { env: broken })).exitCode, 0);
  const fromEnvironment = await bench.run(["settings", "get"], { env: broken });
  assert.equal(fromEnvironment.stderr, "error: cannot read the key file nowhere.key (ENOENT)\n");
  bench.write(`data/${accessId.replace("0b", "0c")}.key`, "{}");
  const two = await bench.run(["settings", "get"]);
  assert.equal(
    two.stderr,
    "error: which key? ./data holds 2 key files\nhint: choose one with --key FILE or SPAREKEY_CLI_KEY\n",
  );
  assert.equal(two.exitCode, 2);
});

test("a file that is no key file is told without its contents", async () => {
  await using bench = await openBench({});
  bench.write("bad.key", "-----BEGIN SECRET");
  const { stderr, exitCode } = await bench.run(["settings", "get", "--key", "bad.key"]);
  assert.equal(stderr, "error: the key file is not JSON\nhint: make a new key file with sparekey-server keys create\n");
  assert.equal(exitCode, 2);
});

test("a server that is not there is 3", async () => {
  await using bench = await openBench({});
  await bench.server[Symbol.asyncDispose]();
  const { stderr, exitCode } = await bench.run(["code", "unlock", "jdoe"]);
  assert.match(stderr, /^error: no connection to 127\.0\.0\.1:\d+ \(ECONNREFUSED\)\nhint: /);
  assert.equal(exitCode, 3);
});

test("a token that the server refuses is 4, and the error holds no token", async () => {
  const gate = {
    timestamp: 1,
    status: 403,
    error: "Forbidden",
    message: "Server failed to process provided access token",
    path: "/",
  };
  await using bench = await openBench({ "POST /AdminInterface/restapi/v1/users/lookup": { status: 403, body: gate } });
  const { stderr, exitCode } = await bench.run(["users", "show", "jdoe"]);
  assert.match(stderr, /^error: server failed to process provided access token\nhint: .*clock/);
  assert.ok(!/eyJ/.test(stderr));
  assert.equal(exitCode, 4);
});
