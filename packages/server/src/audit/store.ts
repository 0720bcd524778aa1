import { prepared } from "../platform/database/prepared.ts";
import type { Connection, Tables } from "../schema/tables.ts";

type Personal = Tables["audit_personal"];
type Event = Omit<Tables["audit_events"], "sequence">;

export type RecordRow = { table: "audit_events"; values: Event } | { table: "audit_personal"; values: Personal };

export interface EventFilter {
  after?: number | undefined;
  /** Nothing beyond this sequence number. */
  end: number;
  userId?: string | undefined;
  action?: string | undefined;
}

const newEvent = prepared((db: Connection, event: Event) =>
  db.insertInto("audit_events").values({
    id: event.id,
    company_id: event.company_id,
    action: event.action,
    user_id: event.user_id,
    canonical: event.canonical,
  }),
);

const newPersonal = prepared((db: Connection, { event_id, salt, personal }: Personal) =>
  db.insertInto("audit_personal").values({ event_id, salt, personal }),
);

export async function insertRow(trx: Connection, { table, values }: RecordRow): Promise<void> {
  if (table === "audit_events") await newEvent(trx, values);
  else await newPersonal(trx, values);
}

export interface FoundEvent {
  sequence: number;
  canonical: string;
  personal: string | null;
}

/** In the order of the record, at most `limit`; with `newest` the last ones rather than the first. */
export async function findEvents(
  db: Connection,
  filter: EventFilter,
  limit: number,
  newest: boolean,
): Promise<FoundEvent[]> {
  let query = db
    .selectFrom("audit_events")
    .leftJoin("audit_personal", "audit_personal.event_id", "audit_events.id")
    .select(["audit_events.sequence", "audit_events.canonical", "audit_personal.personal"])
    .orderBy("audit_events.sequence", newest ? "desc" : "asc")
    .limit(limit);
  query = query.where("audit_events.sequence", "<=", filter.end);
  if (filter.after !== undefined) query = query.where("audit_events.sequence", ">", filter.after);
  if (filter.userId !== undefined) query = query.where("audit_events.user_id", "=", filter.userId);
  if (filter.action !== undefined) query = query.where("audit_events.action", "=", filter.action);
  const rows = await query.execute();
  return newest ? rows.reverse() : rows;
}

export async function findLastSequence(db: Connection): Promise<number> {
  const row = await db
    .selectFrom("audit_events")
    .select((eb) => eb.fn.max("sequence").as("last"))
    .executeTakeFirst();
  return row?.last ?? 0;
}
