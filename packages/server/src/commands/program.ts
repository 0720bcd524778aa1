/** The command line: options to configuration, a command, and its errors on standard error. */
import { roles } from "@sparekey/contract";
import { Command, CommanderError, Option } from "commander";
import { ConfigError, readConfig } from "../config.ts";
import { type KeyPurpose, keyPurposes } from "../keyring/service.ts";
import { DatabaseUnavailable } from "../platform/database/database.ts";
import { version } from "../version.ts";
import { addBackupCommands } from "./backup-commands.ts";
import { CommandError, exitCodes } from "./command-error.ts";
import { init } from "./init.ts";
import { createApiKey, createAuthnKey, deleteKey, listKeys } from "./keys.ts";
import { describeRewrap, rewrapKeys } from "./keys-rewrap.ts";
import { describeRotation, rotateKeys } from "./keys-rotate.ts";
import { describeKeys, keysStatus } from "./keys-status.ts";
import { migrate } from "./migrate.ts";
import { moveToPostgres } from "./move.ts";
import { serve } from "./serve.ts";

type Options = Record<string, string | boolean | undefined>;

/** Options are the same settings as the variables, and win over them. */
const dataDir = new Option("--data-dir <dir>", "the data directory (SPAREKEY_DATA_DIR, default ./data)");
const json = new Option("--json", "print JSON");

/** Configuration from the options of a command and the environment. */
function configOf(options: Options) {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(options)) {
    const variable = `SPAREKEY_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
    if (typeof value === "string") given[variable] = value;
  }
  return readConfig({ ...process.env, ...given });
}

function print(options: Options, value: unknown, text: string) {
  process.stdout.write(options.json === true ? `${JSON.stringify(value, null, 2)}\n` : `${text}\n`);
}

const program = new Command("sparekey-server")
  .description("The Sparekey service: emergency codes for people who lost their second factor.")
  .version(version)
  .showHelpAfterError("hint: sparekey-server --help")
  .addHelpText(
    "after",
    `
Every option is also a variable: --data-dir is SPAREKEY_DATA_DIR. Variables alone: SPAREKEY_TLS_CERT_FILE,
SPAREKEY_TLS_KEY_FILE, SPAREKEY_TRUSTED_PROXIES, SPAREKEY_LOG_LEVEL, SPAREKEY_HA, SPAREKEY_DRAIN_SECONDS,
SPAREKEY_ROOT_KEY_COMMAND, and, also with _FILE, SPAREKEY_METRICS_TOKEN, SPAREKEY_ROOT_KEY, SPAREKEY_DATABASE_URL,
SPAREKEY_DATABASE_OWNER_URL.

Examples:
  sparekey-server init --company "Example Corp" --public-url https://sparekey.example.com
  sparekey-server serve
  sparekey-server keys create --role "Help Desk Administrator" --description "Service desk"

Exit codes:
${Object.entries(exitCodes)
  .map(([code, meaning]) => `  ${code}  ${meaning}`)
  .join("\n")}`,
  );

program
  .command("init")
  .description("make a data directory: database, root key, first API key, first Authentication API key")
  .addOption(dataDir)
  .option("--company <name>", "the company's name (SPAREKEY_COMPANY)")
  .option("--public-url <url>", "scheme and host that clients use (SPAREKEY_PUBLIC_URL, default http://localhost:8080)")
  .option("--profile <profile>", "settings to start from: vendor, nist or pci (SPAREKEY_PROFILE, default vendor)")
  .addOption(json)
  .action(async (options: Options) => {
    const made = await init(configOf(options));
    print(
      options,
      made,
      `Made ${made.dataDir}
  database                        ${made.database}
  root key                        ${made.rootKey}
  Super Administrator's key file  ${made.keyFile}
  Authentication API key          ${made.authnKeyFile}

Keep a copy of the root key elsewhere: without it the database is worth nothing, and with it everything.
Next: sparekey-server serve --data-dir ${made.dataDir}`,
    );
  });

program
  .command("serve")
  .description("run the service until SIGTERM or SIGINT")
  .addOption(dataDir)
  .option("--host <host>", "the address to listen on (SPAREKEY_HOST, default localhost)")
  .option("--port <port>", "the port to listen on (SPAREKEY_PORT, default 8080; 0 takes a free one)")
  .option("--public-url <url>", "instead of the one that init wrote down (SPAREKEY_PUBLIC_URL)")
  .option("--accept-rollback", "go on from a database that was put back, with every live code void; not a variable")
  .action(async (options: Options) => {
    const { config, secrets } = configOf(options);
    await serve(config, secrets, { acceptRollback: options.acceptRollback === true });
  });

program
  .command("migrate")
  .description("bring the database to this version's schema; on SQLite serve does so by itself")
  .addOption(dataDir)
  .option("--from <dir>", "move this data directory to PostgreSQL instead; it must not be served")
  .option("--to <url>", "where to: postgres://owner:password@host/database, which must be empty")
  .addOption(json)
  .action(async (options: Options) => {
    const { from, to, ...others } = options;
    if (typeof from === "string" && typeof to === "string") {
      const moved = await moveToPostgres(configOf({ ...others, dataDir: from }), to);
      const rows = Object.values(moved.rows).reduce((sum, count) => sum + count, 0);
      print(options, moved, `Moved ${moved.from} to ${moved.to}: ${rows} rows, each compared. Serve it there now.`);
      return;
    }
    if (from !== undefined || to !== undefined) {
      throw new CommandError("--from and --to go together", { hint: "sparekey-server migrate --help", exitCode: 2 });
    }
    const { config, secrets } = configOf(options);
    const ran = await migrate(config, secrets);
    print(options, { migrations: ran }, ran.length === 0 ? "The database is up to date." : `Ran ${ran.join(", ")}.`);
  });

const keys = program
  .command("keys")
  .description("API keys, Authentication API keys and the service's own keys; works beside a running server");

keys
  .command("create")
  .description("make a key and write its file into the data directory")
  .addOption(dataDir)
  .addOption(new Option("--role <role>", "what the API key may do").choices(roles).default("Help Desk Administrator"))
  .option("--description <text>", "whose API key it is", "")
  .option("--authn <name>", "make an Authentication API key with this name instead")
  .addOption(json)
  .action(async ({ role, description, authn, ...options }: Options & { role: (typeof roles)[number] }) => {
    const configuration = configOf(options);
    const made =
      typeof authn === "string"
        ? await createAuthnKey(configuration, authn)
        : await createApiKey(configuration, role, String(description));
    print(options, made, `Made ${made.id}\n  ${made.file}`);
  });

keys
  .command("list")
  .description("show every key")
  .addOption(dataDir)
  .addOption(json)
  .action(async (options: Options) => {
    const list = await listKeys(configOf(options));
    const line = ({ id, kind, role, name, createdAt }: (typeof list)[number]) =>
      [id, kind.padEnd(5), (role ?? "Authentication API").padEnd(23), createdAt, name].join("  ");
    print(options, list, list.map(line).join("\n"));
  });

keys
  .command("delete <id>")
  .description("delete a key; what it signed or opened is refused from then on")
  .addOption(dataDir)
  .addOption(json)
  .action(async (id: string, options: Options) => {
    await deleteKey(configOf(options), id);
    print(options, { deleted: id }, `Deleted ${id}.`);
  });

keys
  .command("status")
  .description("show the service's own keys: what each is for, from when to when, and how many codes need it")
  .addOption(dataDir)
  .addOption(json)
  .action(async (options: Options) => {
    const shown = await keysStatus(configOf(options));
    print(options, shown, describeKeys(shown));
  });

keys
  .command("rotate")
  .description("make new keys for the service's own work; every server takes them up by itself")
  .addOption(dataDir)
  .addOption(new Option("--purpose <purpose>", "what for").choices([...keyPurposes, "all"]).default("all"))
  .option("--overlap <duration>", "how long older keys stay good, such as 2h, 7d or 0 (default: each purpose's own)")
  .addOption(json)
  .action(async ({ purpose, overlap, ...options }: Options & { purpose: KeyPurpose | "all"; overlap?: string }) => {
    const made = await rotateKeys(configOf(options), { purpose, overlap });
    print(options, made, describeRotation(made));
  });

keys
  .command("rewrap")
  .description("replace the root key: wrap the service's own keys under another one")
  .addOption(dataDir)
  .option("--new-root-key-file <file>", "the new root key, 32 bytes of base64 (default: a new one is made)")
  .addOption(json)
  .action(async ({ newRootKeyFile, ...options }: Options & { newRootKeyFile?: string }) => {
    const configuration = configOf(options);
    const made = await rewrapKeys(configuration, newRootKeyFile);
    print(options, made, describeRewrap(made, configuration.secrets.rootKey));
  });

addBackupCommands(program, { dataDir, json, configOf, print });

/** Lower case, no full stop, and what to do next. */
function explain(error: unknown): { lines: string[]; exitCode: number } {
  if (error instanceof ConfigError) {
    return {
      lines: [...error.problems.map((problem) => `error: ${problem}`), "hint: sparekey-server --help"],
      exitCode: 2,
    };
  }
  if (error instanceof CommandError)
    return { lines: [`error: ${error.message}`, `hint: ${error.hint}`], exitCode: error.exitCode };
  if (error instanceof DatabaseUnavailable) {
    const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
    return {
      lines: [
        `error: ${error.message}${cause}`,
        "hint: check the disk and who owns the data directory, or SPAREKEY_DATABASE_URL and the server behind it",
      ],
      exitCode: 6,
    };
  }
  return { lines: [`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`], exitCode: 1 };
}

/** Runs the command that the arguments name; a failure ends the process with its exit code. */
export async function run(): Promise<void> {
  try {
    await program.exitOverride().parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    const { lines, exitCode } = explain(error);
    process.stderr.write(`${lines.join("\n")}\n`);
    process.exit(exitCode);
  }
}
