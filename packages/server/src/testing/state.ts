/** What an installation holds, to prove that a refused call changed none of it. */
import assert from "node:assert/strict";
import type { TestInstallation } from "./installation.ts";

const tables = [
  ...(["company", "settings", "keyring_keys", "users", "login_names"] as const),
  ...(["emergency_access", "api_keys", "authn_keys", "authn_attempts"] as const),
];

/** Every row of every table but the record. */
export async function stateOf({ db }: TestInstallation): Promise<string> {
  const rows = await Promise.all(tables.map((table) => db.read.selectFrom(table).selectAll().execute()));
  return JSON.stringify(rows);
}

/** The record's outcomes after a sequence number. */
export async function recordedAfter({ db }: TestInstallation, sequence: number) {
  const rows = await db.read
    .selectFrom("audit_events")
    .select(["sequence", "action", "canonical"])
    .where("sequence", ">", sequence)
    .orderBy("sequence")
    .execute();
  return rows.map((row) => ({ ...row, outcome: JSON.parse(row.canonical).outcome as string }));
}

/** Runs the work and fails unless everything is as it was and the record holds refusals at most. */
export async function changesNothing<Result>(sparekey: TestInstallation, work: () => Promise<Result>): Promise<Result> {
  const before = await stateOf(sparekey);
  const last = (await recordedAfter(sparekey, 0)).at(-1)?.sequence ?? 0;
  const result = await work();
  assert.equal(await stateOf(sparekey), before);
  const changes = (await recordedAfter(sparekey, last)).filter(({ outcome }) => outcome !== "refused");
  assert.deepEqual(changes, []);
  return result;
}
