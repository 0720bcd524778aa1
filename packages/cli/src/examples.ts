import type { Command } from "commander";

/** Ends a command's help with lines that work as they stand. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  return command.addHelpText("after", `\nExamples:\n${examples.map((example) => `  ${example}`).join("\n")}`);
}

/** The options of every command: its own and the program's. */
export function optionsOf<Options>(command: Command): Options {
  return command.optsWithGlobals<Options & object>();
}
