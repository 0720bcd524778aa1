import { type Kysely, sql } from "kysely";
import { isPostgres } from "./portable-schema.ts";

/**
 * Bounds how long this unit of work waits for a row that another one holds, from here to its end. Past it the
 * statement throws `LockTimeout`, and the unit is gone.
 *
 * SQLite has one writer, so there nobody waits for a row: what another unit wrote is committed by now.
 */
export async function limitLockWait<Tables>(trx: Kysely<Tables>, maxMs: number): Promise<void> {
  if (isPostgres(trx)) await sql`SELECT set_config('lock_timeout', ${`${maxMs}ms`}, true)`.execute(trx);
}
