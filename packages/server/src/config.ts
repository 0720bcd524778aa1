/** The only reader of the environment: every `SPAREKEY_*`, checked, frozen, all problems told together. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { type Profile, profiles } from "@sparekey/contract";

/** How the service may be reached: on this machine, over TLS, or behind a proxy that was named. */
export type Exposure =
  | { kind: "loopback" }
  | { kind: "tls"; certFile: string; keyFile: string }
  | { kind: "proxy"; networks: readonly string[] };

export interface Config {
  dataDir: string;
  host: string;
  port: number;
  exposure: Exposure;
  /** Overrides the public URL that `init` wrote down. */
  publicUrl: string | undefined;
  companyName: string;
  profile: Profile;
  logLevel: string;
  database: DatabaseChoice;
  ha: HighAvailability;
  /** How long the node goes on serving after it has said that it is stopping. */
  drainMs: number;
}

/**
 * Where the root key comes from, 32 bytes as base64 text. A file is read and a command is run by whoever needs the
 * key (commands/root-key.ts): most commands do not, and reading the environment changes nothing.
 */
export type RootKeySource =
  | { kind: "value"; text: string }
  | { kind: "command"; command: string }
  | { kind: "file"; path: string }
  /** `root.key`, which `init` makes and `keys rewrap` replaces. */
  | { kind: "data directory"; path: string };
/** The embedded database in the data directory, or PostgreSQL, whose URL is among the secrets. */
export type DatabaseChoice = { kind: "sqlite" } | { kind: "postgres" };

/**
 * What the database promises when its machine dies. `required`: a synchronous standby, or this node is not ready.
 * `managed`: the operator vouches for the service underneath, and the record says so.
 */
export const highAvailabilities = ["off", "required", "managed"] as const;
export type HighAvailability = (typeof highAvailabilities)[number];

/** Kept apart so that a config can be logged. */
export interface Secrets {
  rootKey: RootKeySource;
  metricsToken: string | undefined;
  /** `postgres://…` of the role that serves; undefined for the embedded database. */
  databaseUrl: string | undefined;
  /** The role that owns the tables; without it the serving role has to own them. */
  databaseOwnerUrl: string | undefined;
}

export interface Configuration {
  config: Config;
  secrets: Secrets;
}

/** What was wrong with the configuration, one line each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: string[]) {
    super(problems.join("; "));
    this.problems = problems;
  }
}

const known = [
  "DATA_DIR",
  "HOST",
  "PORT",
  "PUBLIC_URL",
  "COMPANY",
  "PROFILE",
  "TLS_CERT_FILE",
  "TLS_KEY_FILE",
  "TRUSTED_PROXIES",
  "LOG_LEVEL",
  "METRICS_TOKEN",
  "METRICS_TOKEN_FILE",
  "ROOT_KEY",
  "ROOT_KEY_FILE",
  "ROOT_KEY_COMMAND",
  "DATABASE_URL",
  "DATABASE_URL_FILE",
  "DATABASE_OWNER_URL",
  "DATABASE_OWNER_URL_FILE",
  "HA",
  "DRAIN_SECONDS",
].map((name) => `SPAREKEY_${name}`);

/** Alone, a node that drains keeps clients away for longer than it must; among others, a load balancer has to see it first. */
const drainSeconds = { sqlite: "0.1", postgres: "5" };
const maxDrainSeconds = 300;
const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];
/** Names of this machine that nobody else can reach. */
const loopbackHosts = ["localhost", "127.0.0.1", "::1"];

export type Environment = Readonly<Record<string, string | undefined>>;

/** Throws `ConfigError` with every problem at once. Variables of the `sparekey` tool, `SPAREKEY_CLI_*`, are not ours. */
export function readConfig(env: Environment): Configuration {
  const problems: string[] = [];
  for (const name of Object.keys(env)) {
    if (name.startsWith("SPAREKEY_") && !name.startsWith("SPAREKEY_CLI_") && !known.includes(name)) {
      problems.push(`${name} is not a setting of sparekey-server: see sparekey-server --help`);
    }
  }
  const text = (name: string, fallback: string) => env[`SPAREKEY_${name}`] || fallback;
  const choice = <Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice => {
    const value = text(name, fallback);
    const found = choices.find((one) => one === value);
    if (found === undefined) problems.push(`SPAREKEY_${name} is ${value}: it must be one of ${choices.join(", ")}`);
    return found ?? fallback;
  };

  const dataDir = resolve(text("DATA_DIR", "./data"));
  const host = text("HOST", "localhost");
  const secrets: Secrets = {
    rootKey: readRootKeySource(env, dataDir, problems),
    metricsToken: readSecret(env, "METRICS_TOKEN", problems),
    databaseUrl: readDatabaseUrl(env, "DATABASE_URL", problems),
    databaseOwnerUrl: readDatabaseUrl(env, "DATABASE_OWNER_URL", problems),
  };
  const database = { kind: secrets.databaseUrl === undefined ? "sqlite" : "postgres" } as const;
  const config: Config = {
    dataDir,
    host,
    port: readPort(text("PORT", "8080"), problems),
    exposure: readExposure(env, host, problems),
    publicUrl: env.SPAREKEY_PUBLIC_URL && readPublicUrl(env.SPAREKEY_PUBLIC_URL, problems),
    companyName: text("COMPANY", "My Company"),
    profile: choice("PROFILE", profiles, "vendor"),
    logLevel: choice("LOG_LEVEL", logLevels, "info"),
    database,
    ha: choice("HA", highAvailabilities, "off"),
    drainMs: readDrainMs(text("DRAIN_SECONDS", drainSeconds[database.kind]), problems),
  };
  if (config.ha !== "off" && config.database.kind === "sqlite") {
    problems.push(`SPAREKEY_HA is ${config.ha}: the embedded database has no standby; set SPAREKEY_DATABASE_URL`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { config: Object.freeze(config), secrets: Object.freeze(secrets) };
}

function readPort(value: string, problems: string[]): number {
  const port = Number(value);
  if (!/^\d{1,5}$/.test(value) || port > 65_535) problems.push(`SPAREKEY_PORT is ${value}: it must be 0 to 65535`);
  return port;
}

function readDrainMs(value: string, problems: string[]): number {
  const seconds = Number(value);
  if (!(seconds >= 0 && seconds <= maxDrainSeconds)) {
    problems.push(`SPAREKEY_DRAIN_SECONDS is ${value}: it must be 0 to ${maxDrainSeconds}`);
  }
  return seconds * 1_000;
}

function readExposure(env: Environment, host: string, problems: string[]): Exposure {
  const { SPAREKEY_TLS_CERT_FILE: certFile, SPAREKEY_TLS_KEY_FILE: keyFile } = env;
  const networks = readNetworks(env.SPAREKEY_TRUSTED_PROXIES ?? "", problems);
  if ((certFile === undefined) !== (keyFile === undefined)) {
    problems.push("SPAREKEY_TLS_CERT_FILE and SPAREKEY_TLS_KEY_FILE go together: set both or neither");
  }
  for (const file of [certFile, keyFile]) {
    if (file !== undefined && readFileOr(file) === undefined) problems.push(`cannot read ${file}`);
  }
  if (certFile !== undefined && keyFile !== undefined) return { kind: "tls", certFile, keyFile };
  if (networks.length > 0) return { kind: "proxy", networks };
  if (!loopbackHosts.includes(host)) {
    problems.push(
      `SPAREKEY_HOST is ${host}: beyond this machine the service needs TLS (SPAREKEY_TLS_CERT_FILE and SPAREKEY_TLS_KEY_FILE) or a named proxy in front (SPAREKEY_TRUSTED_PROXIES)`,
    );
  }
  return { kind: "loopback" };
}

function readNetworks(value: string, problems: string[]): string[] {
  const networks = value.split(",").flatMap((part) => part.trim() || []);
  for (const network of networks) {
    const [address = "", bits = "0"] = network.split("/");
    const most = isIP(address) === 6 ? 128 : 32;
    if (isIP(address) === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > most) {
      problems.push(`SPAREKEY_TRUSTED_PROXIES has ${network}: name addresses or networks such as 10.0.0.0/8`);
    }
  }
  return networks;
}

function readPublicUrl(value: string, problems: string[]): string | undefined {
  const url = URL.parse(value);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.pathname !== "/" || url.search !== "") {
    problems.push(
      `SPAREKEY_PUBLIC_URL is ${value}: it must be scheme and host alone, such as https://sparekey.example.com`,
    );
    return undefined;
  }
  return url.origin;
}

function readRootKeySource(env: Environment, dataDir: string, problems: string[]): RootKeySource {
  const { SPAREKEY_ROOT_KEY: text, SPAREKEY_ROOT_KEY_FILE: file, SPAREKEY_ROOT_KEY_COMMAND: command } = env;
  if ([text, file, command].filter((given) => given !== undefined).length > 1) {
    problems.push("SPAREKEY_ROOT_KEY, SPAREKEY_ROOT_KEY_FILE and SPAREKEY_ROOT_KEY_COMMAND exclude each other");
  }
  if (text !== undefined) return { kind: "value", text };
  if (command !== undefined) {
    if (command.trim() === "") problems.push("SPAREKEY_ROOT_KEY_COMMAND is empty: it must be a command line");
    return { kind: "command", command };
  }
  if (file === undefined) return { kind: "data directory", path: join(dataDir, "root.key") };
  if (readFileOr(file) === undefined) problems.push(`cannot read ${file}, which SPAREKEY_ROOT_KEY_FILE names`);
  return { kind: "file", path: file };
}

/** The value itself, or the file that `…_FILE` names. */
function readSecret(env: Environment, name: string, problems: string[]) {
  const value = env[`SPAREKEY_${name}`];
  const file = env[`SPAREKEY_${name}_FILE`];
  if (value !== undefined && file !== undefined) {
    problems.push(`SPAREKEY_${name} and SPAREKEY_${name}_FILE exclude each other`);
  }
  if (value !== undefined) return value;
  if (file === undefined) return undefined;
  const content = readFileOr(file)?.trim();
  if (content === undefined) problems.push(`cannot read ${file}, which SPAREKEY_${name}_FILE names`);
  return content;
}

/** Never quotes the URL: it holds a password. */
function readDatabaseUrl(env: Environment, name: string, problems: string[]): string | undefined {
  const value = readSecret(env, name, problems);
  if (value === undefined) return undefined;
  const url = URL.parse(value);
  if (url === null || !["postgres:", "postgresql:"].includes(url.protocol) || url.pathname.length < 2) {
    problems.push(`SPAREKEY_${name} must be like postgres://role:password@host:5432/database`);
  }
  return value;
}

function readFileOr(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
