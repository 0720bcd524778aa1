/** PostgreSQL: several nodes, each with a few connections. */
import { type Kysely, sql } from "kysely";
import type pg from "pg";
import { Lane } from "../lane.ts";
import type { Database, DatabaseLoad } from "./database.ts";
import { DatabaseUnavailable } from "./database.ts";
import type { AnyGuardedWrite, AnyOperation } from "./guarded-write.ts";
import { maxStatements, PostgresBatches } from "./postgres-batches.ts";
import { kyselyOnPostgres, openPool, type ResolveCommit } from "./postgres-driver.ts";
import { isTransient } from "./postgres-errors.ts";
import { createResolver, type Resolver } from "./postgres-resolve.ts";

/** Connections of a node for reads and units of work, and for listings, which must not keep those waiting. */
const maxConnections = { work: 4, reports: 2 };
/** Reports that wait for one of their connections; whoever asks for a report can ask again. */
const maxWaitingReports = 8;
/** A decision that waits for a row which somebody else holds gives its statement up in time for its client to be told. */
const lockTimeoutMs = 1_000;
/** Half of the connections: the other half is for everybody else. */
const unitsAtOnce = maxConnections.work / 2;
/** Who asks what became of a commit still has the connection that it was sent by, so the question needs others. */
const maxQuestions = 2;
const maxRetries = 3;
/** How long `settled` waits for writes that are under way. */
const settleMs = 2_000;

/** Opens no connection yet: the first call does. A call waits for its turn for at most `patienceMs`. */
export function openPostgres<Tables>(url: string, { patienceMs = 1_500 } = {}): Database<Tables> {
  const waits = { connectionTimeoutMillis: patienceMs };
  const pools = {
    work: openPool(url, maxConnections.work, waits),
    reports: openPool(url, maxConnections.reports, waits),
    decisions: openPool(url, maxStatements, { ...waits, lock_timeout: lockTimeoutMs }),
    questions: openPool(url, maxQuestions, waits),
  };
  const lane = new Lane({ atOnce: maxConnections.reports, waiting: maxWaitingReports });
  const resolveCommit: ResolveCommit = (transactionId) => resolver.fateOf(transactionId);
  const work: Kysely<Tables> = kyselyOnPostgres<Tables>(pools.work, resolveCommit);
  const reports = kyselyOnPostgres<Tables>(pools.reports, resolveCommit);
  const decisions = kyselyOnPostgres<Tables>(pools.decisions, resolveCommit);
  const questions = kyselyOnPostgres<Tables>(pools.questions, async () => "unknown");
  const resolver: Resolver = createResolver(questions);
  const batches = new PostgresBatches(decisions, resolver, patienceMs);
  return {
    read: work,
    report: (run) => lane.run(() => run(reports)),
    shared: true,
    unitsAtOnce,
    write: (unit) => retrying(() => work.transaction().execute(unit)),
    apply: async (write, row, prepare) => {
      const done = await batches.add(write as unknown as AnyGuardedWrite, row, prepare as () => AnyOperation);
      for (const { written } of done.consequences) written?.();
      return done.words as never;
    },
    migrate: (unit) => unit(work),
    settled: () => waitForWriters(work),
    snapshot: (unit) =>
      reports.transaction().setIsolationLevel("repeatable read").setAccessMode("read only").execute(unit),
    timeMs: async () => {
      const { rows } = await sql<{
        ms: number;
      }>`SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms`.execute(work);
      return rows[0]?.ms ?? Number.NaN;
    },
    synchronousStandbys: () => countStandbys(work),
    load: () => ({
      queued: batches.waiting,
      oldestMs: batches.oldestMs,
      pools: {
        work: useOf(pools.work, maxConnections.work),
        decisions: useOf(pools.decisions, maxStatements),
        reports: { most: maxConnections.reports, inUse: lane.running, waiting: lane.waiting },
      },
    }),
    close: async () => {
      await batches.close();
      await Promise.all([work, reports, decisions, questions].map((kysely) => kysely.destroy()));
    },
  };
}

function useOf({ totalCount, idleCount, waitingCount }: pg.Pool, most: number): DatabaseLoad["pools"][string] {
  return { most, inUse: totalCount - idleCount, waiting: waitingCount };
}

/** Which standbys are synchronous is told only to a role that may read all statistics. */
async function countStandbys<Tables>(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ count: number }>`SELECT count(*) AS count FROM pg_stat_replication
    WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum') AND NOT pg_is_in_recovery()`.execute(db);
  return rows[0]?.count ?? 0;
}

/** A unit that the database rolled back for the sake of another has left nothing and is run again. */
async function retrying<Result>(run: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      const cause = error instanceof DatabaseUnavailable ? error.cause : error;
      if (tries >= maxRetries || !isTransient(cause)) throw error;
    }
  }
}

/**
 * Every transaction that writes has an id before it takes a number of the record's sequence. So those that have
 * begun have an id below the one that is taken here. (A snapshot's upper end is no such bound: it is the first
 * after those that are over, and some above it may be under way.)
 */
async function waitForWriters<Tables>(db: Kysely<Tables>): Promise<void> {
  const { rows } = await sql<{ next: string }>`SELECT pg_current_xact_id()::text AS next`.execute(db);
  const next = rows[0]?.next;
  const endMs = performance.now() + settleMs;
  while (performance.now() < endMs) {
    const { rows: done } = await sql<{ done: boolean }>`
      SELECT pg_snapshot_xmin(pg_current_snapshot()) >= ${next}::xid8 AS done`.execute(db);
    if (done[0]?.done === true) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new DatabaseUnavailable("a write has been under way for too long");
}
