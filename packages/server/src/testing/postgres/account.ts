/**
 * Who PostgreSQL runs as, and where that user may go.
 *
 * PostgreSQL refuses to run as root. A test that runs as root, as in most containers, starts it as somebody else;
 * anybody else starts it as himself.
 */
import { chownSync, mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface Account {
  uid: number;
  gid: number;
}

/** Undefined when PostgreSQL can run as we do. */
export function findAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  // `initdb` looks its user up by name, so that it has to be one who exists.
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "nobody"]) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody");
}

export function canEnter(account: Account | undefined, directory: string): boolean {
  if (account === undefined) return true;
  const parent = dirname(directory);
  const open = (statSync(directory).mode & 0o001) !== 0;
  return open && (parent === directory || canEnter(account, parent));
}

/** A directory of the account's own. Root, when that is who we are, may go in as well. */
export function makeDirectory(account: Account | undefined): string {
  const parent = canEnter(account, tmpdir()) ? tmpdir() : "/tmp";
  const directory = mkdtempSync(join(parent, "sparekey-postgres-"));
  giveTo(account, directory);
  return directory;
}

export function giveTo(account: Account | undefined, path: string) {
  if (account !== undefined) chownSync(path, account.uid, account.gid);
}
