import type { Command } from "commander";
import { optionsOf, withExamples } from "../examples.ts";
import { getSettings } from "./get.ts";
import { lintSettings } from "./lint.ts";
import { setSettings } from "./set.ts";

export function addSettingsCommands(program: Command): void {
  const settings = program.command("settings").description("read, change and check the company's settings");
  withExamples(
    settings
      .command("get")
      .description("Show the settings, one a line.")
      .action((_, command: Command) => getSettings(optionsOf(command))),
    ["sparekey settings get", "sparekey settings get --json | jq .settings.lockout"],
  );
  withExamples(
    settings
      .command("set")
      .description("Change settings. A value is JSON, or else the text as it stands.")
      .argument("<key=value...>", "names as settings get shows them")
      .action((assignments: string[], _, command: Command) => setSettings(assignments, optionsOf(command))),
    [
      "sparekey settings set onlineEmergencyCode.expiryUnit=minutes onlineEmergencyCode.expiryValue=10",
      "sparekey settings set onlineEmergencyCode.locked=true",
      `sparekey settings set 'protectedGroups=["Domain Admins"]'`,
      `sparekey settings set codeFormat.alphabet=digits codeFormat.length=8`,
    ],
  );
  withExamples(
    settings
      .command("lint")
      .description("Say which clauses of which standards the settings break; exits with 1 if there are any.")
      .action((_, command: Command) => lintSettings(optionsOf(command))),
    ["sparekey settings lint"],
  );
}
