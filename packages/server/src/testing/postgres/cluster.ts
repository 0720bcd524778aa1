/** A database cluster on disk, made by `initdb` and set for tests. */
import { execFile } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Account, canEnter, giveTo } from "./account.ts";
import type { PostgresBinaries } from "./binaries.ts";
import { dataDirectoryIn } from "./remove-cluster.ts";

export const superuser = "postgres";
export const certificateFile = throwaway("cert");

export interface ClusterOptions {
  /** Whether a commit that was acknowledged has to survive a crash. Without it, everything is faster. */
  durable: boolean;
  /** Settings of `postgresql.conf`, over those below. */
  settings: Record<string, string>;
  /** TLS alone, with the certificate of the fixtures, which is for `localhost`. */
  tls: boolean;
}

const always = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "200",
  // In the data directory, so that a killed server leaves nothing in /dev/shm.
  dynamic_shared_memory_type: "mmap",
  // A standby that was away finds what it missed, and looks for it at once.
  wal_keep_size: "512MB",
  wal_retrieve_retry_interval: "100ms",
};

const fast = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };
const tlsFiles = { ssl: "on", ssl_cert_file: "server.crt", ssl_key_file: "server.key" };

export async function makeCluster(
  bin: string,
  directory: string,
  account: Account | undefined,
  { password, durable, settings, tls }: ClusterOptions & { password: string },
): Promise<void> {
  const data = dataDirectoryIn(directory);
  const passwordFile = join(directory, "password");
  const give = (path: string, content: string) => {
    writeFileSync(path, content, { mode: 0o600 });
    giveTo(account, path);
  };

  give(passwordFile, password);
  const choices = ["--auth=scram-sha-256", `--username=${superuser}`, `--pwfile=${passwordFile}`];
  const layout = ["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"];
  await promisify(execFile)(join(bin, "initdb"), ["-D", data, ...choices, ...layout], {
    ...account,
    cwd: directory,
    env: { LC_ALL: "C", TZ: "UTC" },
  });

  rmSync(passwordFile);

  const all = { ...always, ...(!durable && fast), ...(tls && tlsFiles), ...settings };
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`);
  give(join(data, "postgresql.conf"), lines.join(""));
  const kind = tls ? "hostssl" : "host";
  const hosts = ["all", "replication"].map((database) => `${kind} ${database} all 127.0.0.1/32 scram-sha-256\n`);
  give(join(data, "pg_hba.conf"), hosts.join(""));
  if (tls) {
    copyOwn(certificateFile, join(data, "server.crt"), account);
    copyOwn(throwaway("key"), join(data, "server.key"), account);
  }
}

/** Where the account can run them. In a checkout below /root, say, nobody else can run what `npm ci` brought: it gets a copy beside its data. */
export function runnableBinaries(
  { directory: bin }: PostgresBinaries,
  directory: string,
  account: Account | undefined,
): string {
  if (canEnter(account, bin)) return bin;
  const copy = join(directory, "postgresql");
  cpSync(dirname(bin), copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, "bin");
}

function copyOwn(from: string, to: string, account: Account | undefined) {
  copyFileSync(from, to);
  chmodSync(to, 0o600);
  giveTo(account, to);
}

function throwaway(name: "cert" | "key"): string {
  return fileURLToPath(new URL(`../../../../../test/fixtures/throwaway-localhost.${name}.pem`, import.meta.url));
}
