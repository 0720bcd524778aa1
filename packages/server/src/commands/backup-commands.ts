/** The commands for bad days, on the command line: backup, restore, codes void-all. */
import { type Command, Option } from "commander";
import type { readConfig } from "../config.ts";
import { backup } from "./backup.ts";
import { restore } from "./restore.ts";
import { voidAllCodes } from "./void-all-codes.ts";

type Options = Record<string, string | boolean | undefined>;

interface CommandLine {
  /** Options that every command has. */
  dataDir: Option;
  json: Option;
  configOf(options: Options): ReturnType<typeof readConfig>;
  print(options: Options, value: unknown, text: string): void;
}

export function addBackupCommands(program: Command, { dataDir, json, configOf, print }: CommandLine) {
  program
    .command("backup")
    .description("write everything but the root key into one file; works beside a running server")
    .addOption(dataDir)
    .addOption(new Option("--to <file>", "the file to make (default ./sparekey-<company>-<time>.backup)"))
    .addOption(json)
    .action(async ({ to, ...options }: Options & { to?: string }) => {
      const made = await backup(configOf(options), to);
      print(
        options,
        made,
        `Made ${made.path}
  company  ${made.company}
  state    ${made.madeAt}
  rows     ${rowsOf(made.rows)}
  size     ${made.bytes.toLocaleString("en")} bytes
  sha256   ${made.sha256}

It can be restored with the root key alone, which is not in it: keep that elsewhere.`,
      );
    });

  program
    .command("restore <file>")
    .description(
      "make an installation from a backup, in a new data directory or an empty PostgreSQL; its codes are void",
    )
    .addOption(dataDir)
    .addOption(json)
    .action(async (file: string, options: Options) => {
      const made = await restore(configOf(options), file);
      const codes = `${made.voidedCodes.toLocaleString("en")} code(s)`;
      print(
        options,
        made,
        `Restored ${made.company} into ${made.database}
  state    ${made.madeAt}
  rows     ${rowsOf(made.rows)}
  voided   ${codes} that were live: their users need new ones

Next: sparekey-server serve --data-dir ${made.dataDir}`,
      );
    });

  const codes = program.command("codes").description("emergency codes, all at once; works beside a running server");
  codes
    .command("void-all")
    .description("end every live code; their users need new ones")
    .addOption(dataDir)
    .option("--reason <text>", "why, for the record")
    .option("--yes", "do not ask")
    .addOption(json)
    .action(async ({ reason, yes, ...options }: Options & { reason?: string; yes?: boolean }) => {
      const voided = await voidAllCodes(configOf(options), { reason, yes: yes === true });
      print(options, { voided }, `Ended ${voided.toLocaleString("en")} live code(s). Their users need new ones.`);
    });
}

function rowsOf(rows: Readonly<Record<string, number>>): string {
  const all = Object.values(rows).reduce((sum, count) => sum + count, 0);
  const count = (table: string) => (rows[table] ?? 0).toLocaleString("en");
  return `${all.toLocaleString("en")}, of them ${count("users")} users and ${count("audit_events")} records`;
}
