import { type Command, InvalidArgumentError, Option } from "commander";
import { optionsOf, withExamples } from "../examples.ts";
import { tailAudit } from "./tail.ts";

export function addAuditCommands(program: Command): void {
  const audit = program.command("audit").description("read the audit record");
  withExamples(
    audit
      .command("tail")
      .description("Show the newest events of the record; with --json, one JSON document a line.")
      .addOption(new Option("-n, --lines <n>", "how many").default(20).argParser(readCount))
      .option("-f, --follow", "go on with what comes, until interrupted")
      .action((_, command: Command) => tailAudit(optionsOf(command))),
    ["sparekey audit tail -n 50", "sparekey audit tail --follow --json | jq -c 'select(.outcome == \"refused\")'"],
  );
}

function readCount(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= 1_000) return Number(text);
  throw new InvalidArgumentError("it must be a whole number from 0 to 1000");
}
