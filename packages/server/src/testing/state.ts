/** What an installation holds, to prove that a refused call changed none of it. */
import assert from "node:assert/strict";
import type { TestInstallation } from "./installation.ts";

const tables = [
  ...(["company", "settings", "keyring_keys", "users", "login_names"] as const),
  ...(["emergency_access", "api_keys", "authn_keys", "authn_attempts", "revision", "idempotent_calls"] as const),
];

/** Every row of every table but the record, a line each. */
async function stateOf({ db }: TestInstallation): Promise<string> {
  const rows = await Promise.all(
    tables.map(async (table) => {
      const found = await db.read.selectFrom(table).selectAll().execute();
      return found.map((row) => `${table} ${JSON.stringify(row)}`);
    }),
  );
  return rows.flat().join("\n");
}

/** The record after a sequence number. */
async function recordedAfter({ db }: TestInstallation, sequence: number) {
  const rows = await db.read
    .selectFrom("audit_events")
    .select(["sequence", "action", "canonical"])
    .where("sequence", ">", sequence)
    .orderBy("sequence")
    .execute();
  return rows.map((row) => ({ ...row, outcome: JSON.parse(row.canonical).outcome as string }));
}

async function lastSequence({ db }: TestInstallation): Promise<number> {
  const last = db.read.selectFrom("audit_events").select((eb) => eb.fn.max("sequence").as("sequence"));
  return (await last.executeTakeFirst())?.sequence ?? 0;
}

/** Runs the work and fails unless every row is as it was and the record holds refusals at most. */
export async function changesNothing<Result>(sparekey: TestInstallation, work: () => Promise<Result>): Promise<Result> {
  const before = (await stateOf(sparekey)).split("\n");
  const sequence = await lastSequence(sparekey);
  const result = await work();
  const after = (await stateOf(sparekey)).split("\n");
  const gone = before.filter((row) => !after.includes(row));
  const come = after.filter((row) => !before.includes(row));
  const recorded = (await recordedAfter(sparekey, sequence)).filter(({ outcome }) => outcome !== "refused");
  assert.deepEqual({ gone, come, recorded }, { gone: [], come: [], recorded: [] });
  return result;
}
