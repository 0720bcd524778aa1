import { idempotencyKeyPattern } from "@sparekey/sdk";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CliError } from "../cli-error.ts";
import { optionsOf, withExamples } from "../examples.ts";
import { issueCode } from "./issue.ts";
import { revokeCode } from "./revoke.ts";
import { unlockAccess } from "./unlock.ts";
import { verifyCode } from "./verify.ts";

const userArgument = "username, alternate username, email or user id";

export function addCodeCommands(program: Command): void {
  const code = program.command("code").description("issue, verify, revoke and unlock emergency codes");
  addIssue(code);
  addVerify(code);
  withExamples(
    code
      .command("revoke")
      .description("End a user's emergency code at once. A laptop that is offline may accept it until its own end.")
      .argument("<user>", userArgument)
      .action((user: string, _, command: Command) => revokeCode(user, optionsOf(command))),
    ["sparekey code revoke jdoe"],
  );
  withExamples(
    code
      .command("unlock")
      .description("End the lock after too many wrong codes, and clear their count.")
      .argument("<user>", userArgument)
      .action((user: string, _, command: Command) => unlockAccess(user, optionsOf(command))),
    ["sparekey code unlock jdoe"],
  );
}

function addIssue(code: Command): void {
  withExamples(
    code
      .command("issue")
      .description("Issue an emergency code, which replaces the user's old one, and show it this once.")
      .argument("<user>", userArgument)
      .addOption(lifetimeOption("days").conflicts(["hours", "minutes"]))
      .addOption(lifetimeOption("hours").conflicts(["days", "minutes"]))
      .addOption(lifetimeOption("minutes").conflicts(["days", "hours"]))
      .option("--one-time", "the code works once")
      .option("--no-one-time", "the code works until it ends")
      .option("--reason <text>", "why, for the record")
      .option("--ticket <id>", "the help desk's ticket, for the record")
      .option(
        "--idempotency-key <key>",
        "name this call; the same command with the same key shows the same code for 10 minutes",
        readIdempotencyKey,
      )
      .action((user: string, _, command: Command) => issueCode(user, optionsOf(command))),
    [
      "sparekey code issue jdoe",
      'sparekey code issue jdoe --minutes 10 --one-time --reason "lost phone" --ticket INC-4711',
      "sparekey code issue jane.doe@example.com --days 3",
      "sparekey code issue jdoe --idempotency-key INC-4711-first-code",
    ],
  );
}

function addVerify(code: Command): void {
  withExamples(
    code
      .command("verify")
      .description(
        "Say whether a code is accepted. It is read from a hidden prompt, or from stdin; never from the\n" +
          "arguments, which every process on this machine can see. It counts like any other use.",
      )
      .argument("<user>", "username, alternate username or email")
      .addOption(
        new Option("--authn-key <file>", "file with the Authentication API key; else ./data/authn-api.key").env(
          "SPAREKEY_CLI_AUTHN_KEY",
        ),
      )
      .allowExcessArguments()
      .action((user: string, _, command: Command) => {
        if (command.args.length > 1) throw codeAmongArguments();
        return verifyCode(user, optionsOf(command));
      }),
    [
      "sparekey code verify jdoe --authn-key data/authn-api.key",
      'read -rs CODE && printf %s "$CODE" | sparekey code verify jdoe --server https://codes.example.com',
    ],
  );
}

/** Not Commander's own error, which quotes the arguments. */
function codeAmongArguments(): CliError {
  return new CliError("a code does not belong among the arguments", {
    hint: "type it at the prompt, and revoke this one: others may have seen it, and the shell may keep it",
  });
}

function lifetimeOption(unit: string): Option {
  return new Option(`--${unit} <n>`, `the code ends after so many ${unit}`).argParser(readWholeNumber);
}

function readWholeNumber(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("it must be a whole number from 1");
}

function readIdempotencyKey(text: string): string {
  if (idempotencyKeyPattern.test(text)) return text;
  throw new InvalidArgumentError("it must be 16 to 255 printable ASCII characters");
}
