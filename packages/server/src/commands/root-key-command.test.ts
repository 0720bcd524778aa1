import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CommandError } from "./command-error.ts";
import { runRootKeyCommand } from "./root-key-command.ts";

describe("the command that prints the root key", () => {
  const failure = async (command: string, timeoutMs?: number): Promise<CommandError> => {
    const error = await runRootKeyCommand(command, timeoutMs).then(
      () => assert.fail("it did not fail"),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof CommandError);
    assert.equal(error.exitCode, 4);
    assert.match(error.hint, /run the command line by hand/);
    return error;
  };

  it("is a line for a shell, and what it writes on standard output is the answer", async () => {
    assert.equal(await runRootKeyCommand("printf 'a b' | tr a c; echo said >&2"), "c b");
  });

  it("that fails is told with its exit code and what it wrote on standard error, never with its output", async () => {
    const { message } = await failure("echo the-key; echo 'access denied' >&2; exit 3");
    assert.match(message, /^SPAREKEY_ROOT_KEY_COMMAND failed: exit code 3\n {2}access denied$/);
    assert.match((await failure("kill -TERM $$")).message, /failed: SIGTERM$/);
    assert.match((await failure("no-such-program-anywhere")).message, /exit code 127\n.*not found/);
  });

  it("that takes too long is ended, and whatever it has started too", async () => {
    const startedMs = performance.now();
    const { message } = await failure("echo 'waiting for the vault' >&2; sleep 60 & wait", 200);
    assert.match(message, /failed: it took longer than 0\.2 s\n {2}waiting for the vault$/);
    // The shell's child holds its output open: only its end, too, lets this go on so soon.
    assert.ok(performance.now() - startedMs < 30_000);
  });

  it("that writes without end is not kept in memory", async () => {
    assert.ok((await runRootKeyCommand("head -c 5000000 /dev/zero")).length <= 10_000);
  });
});
