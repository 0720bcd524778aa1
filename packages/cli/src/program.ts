import { Command, Option } from "commander";
import manifest from "../package.json" with { type: "json" };
import { addAuditCommands } from "./audit/commands.ts";
import { addCodeCommands } from "./codes/commands.ts";
import { exitCodesHelp } from "./exit-codes.ts";
import { addSettingsCommands } from "./settings/commands.ts";
import { addUserCommands } from "./users/commands.ts";

/** All commands. What goes wrong is thrown; `main.ts` reports it. */
export function createProgram(): Command {
  const program = new Command("sparekey")
    .description("Emergency access codes for people who lost their second factor: the administrator's hand tool.")
    .version(manifest.version)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("hint: add --help to the command to see how it is used")
    .addOption(
      new Option("--key <file>", "administrator's key file; else the only one in ./data").env("SPAREKEY_CLI_KEY"),
    )
    .option("--server <url>", "server's address, if not the one in the key file")
    .option("--json", "answer in JSON")
    .addHelpText("after", exitCodesHelp());
  addUserCommands(program);
  addCodeCommands(program);
  addSettingsCommands(program);
  addAuditCommands(program);
  return program;
}
