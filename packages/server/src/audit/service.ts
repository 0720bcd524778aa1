/** The record of what happened: written with what it records, never after it. */
import type { AuditAction, AuditEvent, AuditPage, AuditQuery } from "@sparekey/contract";
import { type Clock, instantToMs } from "../platform/clock.ts";
import { type Database, DatabaseUnavailable } from "../platform/database/database.ts";
import type { Random } from "../platform/random.ts";
import type { Call } from "../principal.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import { type AuditRecord, canonicalJson, commitTo, type Details } from "./canonical.ts";
import * as store from "./store.ts";

export type { Details } from "./canonical.ts";

/** What a feature says of an event. Never a code, a key or a token. */
export interface AuditEntry {
  action: AuditAction;
  outcome?: "success" | "refused";
  /** A permanent word for why: `wrong_code`, `protected_user`, … */
  reason?: string;
  userId?: string | undefined;
  details?: Details;
  /** Names and the like; the caller's address is added. */
  personal?: Details;
}

interface Dependencies {
  db: Database<Tables>;
  companyId: string;
  clock: Clock;
  random: Random;
  /** Counts records for the metrics. */
  onRecord?: (labels: { action: string; outcome: string; reason: string }) => void;
}

/** A record as rows of its tables; `written` is to be called once they are. */
export interface RecordRows {
  rows: store.RecordRow[];
  written(): void;
}

const defaultPage = 100;

export class AuditService {
  readonly #with: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
  }

  /** Inserts a record in the unit of work that makes the change. */
  async record(trx: Connection, call: Call, entry: AuditEntry): Promise<void> {
    const { rows, written } = this.prepare(call, entry);
    try {
      for (const row of rows) await store.insertRow(trx, row);
    } catch (error) {
      // Whatever keeps the record from being written: nothing happens without it, and the client may try again.
      throw new DatabaseUnavailable("the record cannot be written", { cause: error });
    }
    written();
  }

  /** The rows of a record, for a guarded write that inserts them itself. */
  prepare(call: Call, entry: AuditEntry): RecordRows {
    const { companyId, clock, random, onRecord } = this.#with;
    const personal: Details = { ...entry.personal };
    if (call.address !== null) personal.address = call.address;
    const personalJson = Object.keys(personal).length === 0 ? undefined : canonicalJson(personal);
    const salt = random.bytes(32);
    const at = clock.now();
    const event: AuditRecord = {
      v: 1,
      id: random.uuidInOrder(instantToMs(at)),
      company: companyId,
      at,
      action: entry.action,
      outcome: entry.outcome ?? "success",
      reason: entry.reason ?? null,
      actor: { kind: call.principal.kind, id: call.principal.id },
      user: entry.userId ?? null,
      request: call.requestId,
      details: entry.details ?? {},
      personal: personalJson === undefined ? null : commitTo(salt, personalJson),
    };
    const { id, action, outcome, reason, user } = event;
    const rows: RecordRows["rows"] = [
      {
        table: "audit_events",
        values: { id, company_id: companyId, action, user_id: user, canonical: canonicalJson(event) },
      },
    ];
    if (personalJson !== undefined) {
      const values = { event_id: id, salt: salt.toString("base64url"), personal: personalJson };
      rows.push({ table: "audit_personal", values });
    }
    return { rows, written: () => onRecord?.({ action, outcome, reason: reason ?? "" }) };
  }

  /** Inserts a record of something that changed nothing else. */
  recordAlone(call: Call, entry: AuditEntry): Promise<void> {
    return this.#with.db.write((trx) => this.record(trx, call, entry));
  }

  async find(query: AuditQuery): Promise<AuditPage> {
    const { db } = this.#with;
    const newest = query.last !== undefined;
    return db.report(async (reports) => {
      // Below the last number that is seen now, everything is there once the writes that have begun are over.
      const end = await store.findLastSequence(reports);
      await db.settled();
      const limit = query.last ?? query.limit ?? defaultPage;
      const rows = await store.findEvents(reports, { ...query, end }, limit, newest);
      const cursor = rows.at(-1)?.sequence ?? query.after ?? (newest ? end : 0);
      return { events: rows.map(toEvent), cursor };
    });
  }
}

function toEvent({ sequence, canonical, personal }: store.FoundEvent): AuditEvent {
  const record = JSON.parse(canonical) as AuditRecord;
  return {
    sequence,
    id: record.id,
    at: record.at,
    action: record.action,
    outcome: record.outcome,
    reason: record.reason,
    actor: record.actor,
    userId: record.user,
    requestId: record.request,
    details: record.details,
    personal: personal === null ? null : JSON.parse(personal),
    personalCommitment: record.personal,
  };
}
