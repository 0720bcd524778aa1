/**
 * A copy of a running server's data directory, made as `pg_basebackup` would: that program is not among the binaries
 * that npm brings.
 */
import { copyFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Account, giveTo } from "./account.ts";
import { connect } from "./databases.ts";
import type { PostgresServer } from "./server.ts";

/** Of these the copy needs the directory alone. What is in `pg_wal` it is sent over the wire. */
const emptied =
  /^(pg_wal|pg_dynshmem|pg_notify|pg_replslot|pg_serial|pg_snapshots|pg_stat_tmp|pg_subtrans|pgsql_tmp.*)$/;
const left = /^(postmaster\.(pid|opts)|backup_label|standby\.signal|pg_internal\.init|pgsql_tmp.*)$/;

/** The directory itself stays, and with it what PostgreSQL recognises it by. */
export async function copyData(source: PostgresServer, target: string, account: Account | undefined): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o700 });
  giveTo(account, target);
  for (const name of await readdir(target)) await rm(join(target, name), { recursive: true });

  // The backup ends with the connection that began it.
  const primary = await connect(source.superuserUrl);
  try {
    await primary.query("SELECT pg_backup_start('standby', fast => true)");
    await copyDirectory(source.dataDirectory, target, account);
    const { rows } = await primary.query("SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)");
    // Without it the copy, whose files are of different moments, would start from the wrong one.
    const label = join(target, "backup_label");
    await writeFile(label, rows[0].labelfile, { mode: 0o600 });
    giveTo(account, label);
  } finally {
    await primary.end();
  }
}

async function copyDirectory(source: string, target: string, account: Account | undefined): Promise<void> {
  const entries = await readdir(source, { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const [from, to] = [join(source, entry.name), join(target, entry.name)];
      if (left.test(entry.name)) return;
      if (entry.isDirectory()) {
        await mkdir(to, { mode: 0o700 });
        giveTo(account, to);
        if (!emptied.test(entry.name)) await copyDirectory(from, to, account);
      } else if (await copyExisting(from, to)) {
        giveTo(account, to);
      }
    }),
  );
}

/** A table may be dropped meanwhile. What the copy misses then, the log that it replays drops too. */
async function copyExisting(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
