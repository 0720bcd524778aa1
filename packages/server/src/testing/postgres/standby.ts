/** Streaming replication: a server that follows another one. */
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { giveTo } from "./account.ts";
import { copyData } from "./base-copy.ts";
import { superuser } from "./cluster.ts";
import { connect } from "./databases.ts";
import { PostgresServer } from "./server.ts";

/** The name by which a primary knows its standby. */
const standbyName = "standby1";
const patienceMs = 30_000;

/** Makes a standby of a running primary, which goes on meanwhile. It follows, and answers queries that only read. */
export async function startStandby(primary: PostgresServer): Promise<PostgresServer> {
  const standby = new PostgresServer(primary.origin);
  try {
    await copyFrom(primary, standby);
    await standby.startOnFreePort();
    return standby;
  } catch (error) {
    await standby.stop();
    throw error;
  }
}

/** Makes a standby of a server that is down, typically the primary that crashed. Its own data is lost. */
export async function restartAsStandby(server: PostgresServer, primary: PostgresServer): Promise<void> {
  await copyFrom(primary, server);
  await server.start();
}

async function copyFrom(primary: PostgresServer, standby: PostgresServer): Promise<void> {
  const { account } = primary.origin;
  await copyData(primary, standby.dataDirectory, account);
  const signal = join(standby.dataDirectory, "standby.signal");
  await writeFile(signal, "", { mode: 0o600 });
  giveTo(account, signal);
  // What ALTER SYSTEM writes, too. The last line counts.
  const line = `primary_conninfo = '${connectionTo(primary)}'\n`;
  await appendFile(join(standby.dataDirectory, "postgresql.auto.conf"), line);
}

function connectionTo({ host, port, origin }: PostgresServer): string {
  const login = `user=${superuser} password=${origin.password}`;
  return `host=${host} port=${port} ${login} application_name=${standbyName}`;
}

/** Ends the stream of changes, as a cut cable would, or lets it begin again. */
export async function followPrimary(standby: PostgresServer, primary: PostgresServer | undefined): Promise<void> {
  const connection = primary === undefined ? "" : connectionTo(primary);
  await standby.query(`ALTER SYSTEM SET primary_conninfo = '${connection}'`);
  await standby.query("SELECT pg_reload_conf()");
}

/**
 * Says that no commit is to be acknowledged before a standby has it on disk. Nothing comes of it before
 * `beginToRequire()`, but copies made meanwhile say it too, and so require a standby once they are promoted.
 */
export async function requireStandby(primary: PostgresServer): Promise<void> {
  await primary.query(`ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (${standbyName})'`);
}

export async function beginToRequire(primary: PostgresServer): Promise<void> {
  await primary.query("SELECT pg_reload_conf()");
  await untilSynchronous(primary);
  // Commits wait once the checkpointer has read the setting, and a checkpoint cannot be made before it did.
  await primary.query("CHECKPOINT");
}

const synchronous = `SELECT EXISTS (SELECT FROM pg_stat_replication
  WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')) AS held`;

export function untilSynchronous(primary: PostgresServer): Promise<void> {
  return untilHeld(primary, synchronous);
}

/** A commit is on the standby's disk when it is acknowledged, and visible there only once it is replayed. */
export async function untilReplayed(standby: PostgresServer, primary: PostgresServer): Promise<void> {
  const [at] = await primary.query<{ lsn: string }>("SELECT pg_current_wal_lsn() AS lsn");
  await untilHeld(standby, `SELECT pg_last_wal_replay_lsn() >= '${at?.lsn}' AS held`);
}

export function untilAlone(primary: PostgresServer): Promise<void> {
  return untilHeld(primary, "SELECT NOT EXISTS (SELECT FROM pg_stat_replication) AS held");
}

/** Makes a primary of a standby, from what it has received until now. */
export async function promote(standby: PostgresServer): Promise<void> {
  await standby.query("SELECT pg_promote(wait => false)");
  await untilHeld(standby, "SELECT NOT pg_is_in_recovery() AS held");
}

async function untilHeld(server: PostgresServer, sql: string): Promise<void> {
  const client = await connect(server.superuserUrl);
  const deadlineMs = performance.now() + patienceMs;
  try {
    while (!(await client.query<{ held: boolean }>(sql)).rows[0]?.held) {
      if (performance.now() > deadlineMs) throw new Error(`never came to be: ${sql}`);
      await sleep(10);
    }
  } finally {
    await client.end();
  }
}
