/** Runs guarded writes on whichever database a connection belongs to. */
import type { Kysely } from "kysely";
import type { Done, GuardedWrite, Operation } from "./guarded-write.ts";
import { runOnPostgres } from "./guarded-write-postgres.ts";
import { runOnSqlite } from "./guarded-write-sqlite.ts";
import { isPostgres } from "./portable-schema.ts";

/** Runs one in a unit of work, with whatever else the unit does. Answers the words of the outcome. */
export async function runGuarded<
  Tables,
  Table extends keyof Tables & string,
  Input extends object,
  Word extends string,
>(
  trx: Kysely<Tables>,
  write: GuardedWrite<Tables, Table, Input, Word>,
  operation: Operation<Input, Word>,
): Promise<readonly (Word | "none")[]> {
  const { words, consequences } = await runAlone(trx, write, operation);
  for (const { written } of consequences) written?.();
  return words as (Word | "none")[];
}

/** The same for a database that tells of what was written itself, once that is durable. */
export async function runAlone<Tables, Table extends keyof Tables & string, Input extends object, Word extends string>(
  trx: Kysely<Tables>,
  write: GuardedWrite<Tables, Table, Input, Word>,
  operation: Operation<Input, Word>,
): Promise<Done> {
  const run = isPostgres(trx) ? runOnPostgres : runOnSqlite;
  const [done] = await run(trx as never, write as never, [operation as never]);
  return done as Done;
}
