import type { Command } from "commander";
import { optionsOf, withExamples } from "../examples.ts";
import { importUsers } from "./import.ts";
import { setUserStatus } from "./set-status.ts";
import { showUser } from "./show.ts";

const userArgument = "username, alternate username, email or user id";

const columnsHelp = `
The first line of the file names the columns:
  username           finds the user, or names a new one
  email, firstName, lastName
  status             enabled or disabled (optional, as are the next)
  managerEmail
  groups             separated by ;
  alternateUsername
A column that is not in the file changes nothing. An empty optional field clears
what it names, except status, which stays as it is.`;

export function addUserCommands(program: Command): void {
  const users = program.command("users").description("import, show, enable and disable users");
  withExamples(
    users
      .command("import")
      .description("Create or update users from a CSV file, matched by username.")
      .argument("<file>", "CSV file, UTF-8")
      .addHelpText("after", columnsHelp)
      .action((file: string, _, command: Command) => importUsers(file, optionsOf(command))),
    ["sparekey users import examples/users.csv", "sparekey users import staff.csv --json | jq '.refusedRows'"],
  );
  withExamples(
    users
      .command("show")
      .description("Show who a user is, and whether an emergency code would be accepted now.")
      .argument("<user>", userArgument)
      .action((user: string, _, command: Command) => showUser(user, optionsOf(command))),
    ["sparekey users show jdoe", "sparekey users show jane.doe@example.com --json"],
  );
  withExamples(
    users
      .command("enable")
      .description("Enable a user. A code that has not ended works again.")
      .argument("<user>", userArgument)
      .action((user: string, _, command: Command) => setUserStatus(user, "Enabled", optionsOf(command))),
    ["sparekey users enable jdoe"],
  );
  withExamples(
    users
      .command("disable")
      .description("Disable a user. No emergency code of a disabled user is accepted.")
      .argument("<user>", userArgument)
      .action((user: string, _, command: Command) => setUserStatus(user, "Disabled", optionsOf(command))),
    ["sparekey users disable jdoe"],
  );
}
