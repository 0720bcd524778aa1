/**
 * What became of a transaction whose acknowledgement was lost: asked of the database, never guessed.
 *
 * It may still be on its way, so the question is asked for a while. What is found is only good once the standby
 * has it too, where one is required: a commit that came back first waits for everything before it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import type { AnyGuardedWrite, Consequence } from "./guarded-write.ts";

/** How long, in all, before the answer is that nobody can say; the client is waiting. */
const patienceMs = 1_000;
const everyMs = 100;

export type Fate = "committed" | "aborted" | "unknown";

export interface Resolver {
  /** By the transaction's id. */
  fateOf(transactionId: string): Promise<Fate>;
  /** Of a guarded write's rows by their table's first column: the words whose rows are there, by operation. */
  wordsOf(write: AnyGuardedWrite, made: readonly ReadonlyMap<string, Consequence>[]): Promise<string[][] | undefined>;
}

export function createResolver<Tables>(read: Kysely<Tables>): Resolver {
  return {
    fateOf: (transactionId) => askUntil(() => askFate(read, transactionId), "unknown"),
    wordsOf: (write, made) => askUntil(() => askWords(read, write, made), undefined),
  };
}

/** Asks until there is an answer, through errors as well: the database may just be coming back, or hang. */
async function askUntil<Answer>(ask: () => Promise<Answer | undefined>, otherwise: Answer): Promise<Answer> {
  const patience = new AbortController();
  const over = delay(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined);
  const endMs = performance.now() + patienceMs;
  try {
    while (performance.now() < endMs) {
      const answer = await Promise.race([ask().catch(() => undefined), over]);
      if (answer !== undefined) return answer;
      await delay(everyMs);
    }
    return otherwise;
  } finally {
    patience.abort();
  }
}

async function askFate<Tables>(read: Kysely<Tables>, transactionId: string): Promise<Fate | undefined> {
  const { rows } = await sql<{
    status: string | null;
  }>`SELECT pg_xact_status(${transactionId}::xid8) AS status`.execute(read);
  const status = rows[0]?.status;
  if (status === "committed") await waitForStandby(read);
  return status === "committed" || status === "aborted" ? status : undefined;
}

async function askWords<Tables>(
  read: Kysely<Tables>,
  { definition }: AnyGuardedWrite,
  made: readonly ReadonlyMap<string, Consequence>[],
): Promise<string[][] | undefined> {
  const [[table, [idColumn]] = ["", [""]]] = Object.entries(definition.inserts);
  const idOf = ({ rows }: Consequence) => rows.find((row) => row.table === table)?.values[idColumn ?? ""];
  const ids = made.flatMap((consequences) => [...consequences.values()].map(idOf));
  const { rows } = await sql<{ id: string }>`SELECT ${sql.ref(idColumn ?? "")} AS id FROM ${sql.table(table)}
    WHERE ${sql.ref(idColumn ?? "")} = ANY(${ids}::text[])`.execute(read);
  // All of the statement is there or nothing is, and every operation inserts something.
  if (rows.length === 0) return undefined;
  await waitForStandby(read);
  const there = new Set<unknown>(rows.map(({ id }) => id));
  return made.map((consequences) => [...consequences].filter(([, one]) => there.has(idOf(one))).map(([word]) => word));
}

/** A commit of our own, which where standbys are synchronous is acknowledged after all that went before it. */
async function waitForStandby<Tables>(read: Kysely<Tables>): Promise<void> {
  await sql`SELECT pg_logical_emit_message(true, 'sparekey', 'resolved')`.execute(read);
}
