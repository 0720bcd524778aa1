import { prepared } from "../platform/database/prepared.ts";
import type { Connection } from "../schema/tables.ts";

export interface StoredEvent {
  id: string;
  companyId: string;
  action: string;
  userId: string | null;
  canonical: string;
}

export interface StoredPersonal {
  eventId: string;
  salt: string;
  personal: string;
}

export interface EventFilter {
  after?: number | undefined;
  userId?: string | undefined;
  action?: string | undefined;
}

const newEvent = prepared((db: Connection, event: StoredEvent) =>
  db.insertInto("audit_events").values({
    id: event.id,
    company_id: event.companyId,
    action: event.action,
    user_id: event.userId,
    canonical: event.canonical,
  }),
);

const newPersonal = prepared((db: Connection, { eventId, salt, personal }: StoredPersonal) =>
  db.insertInto("audit_personal").values({ event_id: eventId, salt, personal }),
);

export async function insertEvent(trx: Connection, event: StoredEvent): Promise<void> {
  await newEvent(trx, event);
}

export async function insertPersonal(trx: Connection, personal: StoredPersonal): Promise<void> {
  await newPersonal(trx, personal);
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
