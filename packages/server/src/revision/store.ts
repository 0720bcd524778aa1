import { prepared } from "../platform/database/prepared.ts";
import type { Connection } from "../schema/tables.ts";

const revisionOf = prepared((db: Connection, { companyId }: { companyId: string }) =>
  db.selectFrom("revision").select("number").where("company_id", "=", companyId),
);

export async function getRevision(db: Connection, companyId: string): Promise<number> {
  const [row] = await revisionOf(db, { companyId });
  if (row === undefined) throw new Error(`company ${companyId} has no revision`);
  return row.number;
}

export async function insertRevision(trx: Connection, companyId: string): Promise<void> {
  await trx.insertInto("revision").values({ company_id: companyId, number: 1 }).execute();
}

/** Leaves it as it is, in a transaction that is to be durable for the sake of those before it. */
export async function touchRevision(trx: Connection, companyId: string): Promise<void> {
  await trx
    .updateTable("revision")
    .set((eb) => ({ number: eb.ref("number") }))
    .where("company_id", "=", companyId)
    .execute();
}

export async function raiseRevision(trx: Connection, companyId: string): Promise<void> {
  await trx
    .updateTable("revision")
    .set((eb) => ({ number: eb("number", "+", 1) }))
    .where("company_id", "=", companyId)
    .execute();
}
