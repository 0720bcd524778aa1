/**
 * A database that was put back to an earlier state behind our back: found, refused, and accepted only by voiding.
 *
 * A snapshot of a machine, a file copied back, a recovery to a point in time: each brings used and revoked codes
 * back to life. What follows a step back, wanted or not, is the same: nothing that was live stays live.
 */
import type { AuditService } from "../audit/service.ts";
import { voidAllCodes } from "../emergency-codes/service.ts";
import type { Clock, Instant } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import type { Log } from "../platform/log.ts";
import { commandCall } from "../principal.ts";
import { raiseRevision, touchRevision } from "../revision/service.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import { type RecordMark, writeMark } from "./mark-file.ts";
import { findNewest, forgetCalls, isRecorded, type RecordPlace, removeAttempts } from "./store.ts";

export { type RecordMark, readMark, UnreadableMark, writeMark } from "./mark-file.ts";

/** What the mark says and what the database has in its place. */
export interface Rollback {
  kind: "behind" | "forked" | "other_company";
  /** Undefined when the mark cannot be read. */
  lost: RecordMark | undefined;
  newest: RecordPlace | undefined;
}

/** Ends all that a step back in time may have brought back to life; answers how many codes were live. */
export async function voidLive(trx: Connection, companyId: string, now: Instant): Promise<number> {
  const voided = await voidAllCodes(trx, companyId, now);
  await removeAttempts(trx, companyId);
  await forgetCalls(trx, companyId);
  await raiseRevision(trx, companyId);
  return voided;
}

/**
 * Whether the record that the mark names is gone from the database.
 *
 * A missing row is a rollback whatever came after it: whoever writes more records than were lost passes the mark's
 * sequence, but not its id. Nothing prunes the record yet; what will must keep the ids of what it removes.
 */
export async function findRollback(
  db: Connection,
  companyId: string,
  mark: RecordMark | undefined,
): Promise<Rollback | undefined> {
  const newest = await findNewest(db);
  if (mark === undefined) return { kind: "behind", lost: undefined, newest };
  if (mark.company !== companyId) return { kind: "other_company", lost: mark, newest };
  if (await isRecorded(db, mark)) return undefined;
  return { kind: (newest?.sequence ?? 0) < mark.sequence ? "behind" : "forked", lost: mark, newest };
}

interface Parts {
  db: Database<Tables>;
  companyId: string;
  clock: Clock;
  audit: AuditService;
}

/** Goes on from the earlier state: voids what is live in it, and records both marks. Answers how many codes it were. */
export function acceptRollback({ db, companyId, clock, audit }: Parts, rollback: Rollback): Promise<number> {
  return db.write(async (trx) => {
    const voided = await voidLive(trx, companyId, clock.now());
    const { kind, lost, newest } = rollback;
    const details = {
      ...{ kind, voided },
      ...{ lostSequence: lost?.sequence ?? null, lostId: lost?.id ?? null, lostCompany: lost?.company ?? null },
      ...{ foundSequence: newest?.sequence ?? null, foundId: newest?.id ?? null },
    };
    await audit.record(trx, commandCall, { action: "installation.rolled_back", details });
    return voided;
  });
}

/** Ends every live code, for a run-book; answers how many there were. */
export function voidEveryCode({ db, companyId, clock, audit }: Parts, reason: string | undefined): Promise<number> {
  return db.write(async (trx) => {
    const voided = await voidAllCodes(trx, companyId, clock.now());
    const entry = { action: "emergency_code.revoked_all", ...(reason !== undefined && { reason }) } as const;
    await audit.record(trx, commandCall, { ...entry, details: { voided } });
    return voided;
  });
}

/** The newest record as a mark; undefined while there is none. */
export async function currentMark(db: Connection, companyId: string): Promise<RecordMark | undefined> {
  const newest = await findNewest(db);
  return newest && { company: companyId, sequence: newest.sequence, id: newest.id };
}

/**
 * Resolves once everything that can be seen now is on disk.
 *
 * Whoever reads may see a commit before it is flushed. A mark that a power cut leaves behind a record it takes away
 * would accuse a database that never went back. Nothing is acknowledged before what was committed earlier is flushed.
 */
export function onceDurable(db: Database<Tables>, companyId: string): Promise<void> {
  // A write that changes nothing, and is one all the same: PostgreSQL waits for the standby of no other.
  return db.write((trx) => touchRevision(trx, companyId));
}

/** What could not be looked at for so long is not known to be whole. */
const unseenForMs = 5_000;

interface WatchParts {
  db: Database<Tables>;
  companyId: string;
  clock: Clock;
  log: Log;
  /** Where the mark lies. */
  markPath: string;
  /** What the file says now. */
  mark: RecordMark | undefined;
}

/** Keeps the mark while the service runs, and stops the service when the record went back under it. */
export class RollbackWatch {
  readonly #with: WatchParts;
  #mark: RecordMark | undefined;
  #rolledBack = false;
  #seenAtMs: number;

  constructor(parts: WatchParts) {
    this.#with = parts;
    this.#mark = parts.mark;
    this.#seenAtMs = parts.clock.monotonicMs();
  }

  /** What is wrong, until a restart that accepts it. */
  problem(): string | undefined {
    if (this.#rolledBack) return "the record went back";
    const unseenMs = this.#with.clock.monotonicMs() - this.#seenAtMs;
    return unseenMs > unseenForMs ? "the record cannot be watched" : undefined;
  }

  /**
   * Moves the mark on to the newest record, unless something that was there is not.
   *
   * The newest is what this process's own connection sees committed, and has on disk, so the mark is never ahead of the
   * database. It is looked for on a fresh connection: a server whose file was replaced still sees, and writes, the old one.
   */
  async look(): Promise<void> {
    if (this.#rolledBack) return;
    const { db, companyId, clock, log, markPath } = this.#with;
    const newest = await currentMark(db.read, companyId);
    const lost = await db.snapshot(async (fresh) => {
      for (const mark of [this.#mark, newest]) {
        if (mark !== undefined && !(await isRecorded(fresh, mark))) return mark;
      }
      return undefined;
    });
    if (lost !== undefined) {
      this.#rolledBack = true;
      log.fatal({ lost }, "the database went back to an earlier state; stop, and see serve --accept-rollback");
      return;
    }
    this.#seenAtMs = clock.monotonicMs();
    if (newest === undefined || newest.id === this.#mark?.id) return;
    await onceDurable(db, companyId);
    await writeMark(markPath, newest);
    this.#mark = newest;
  }
}
