import type { Connection } from "../schema/tables.ts";

/**
 * Where this database was moved to, if it was and has not been restored since; undefined for one that may be served.
 *
 * It is read from the record, not from a file beside the database: the record goes wherever the database is copied to.
 */
export async function findMovedTo(db: Connection): Promise<string | undefined> {
  const row = await db
    .selectFrom("audit_events")
    .select(["action", "canonical"])
    .where("action", "in", ["installation.moved", "installation.restored"])
    .orderBy("sequence", "desc")
    .limit(1)
    .executeTakeFirst();
  if (row?.action !== "installation.moved") return undefined;
  const { details } = JSON.parse(row.canonical) as { details: { movedTo?: string } };
  return details.movedTo;
}
