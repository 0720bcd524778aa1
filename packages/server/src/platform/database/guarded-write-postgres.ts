/** Guarded writes on PostgreSQL: one statement for all operations at hand, updates and inserts together. */
import { type CompiledQuery, expressionBuilder, type Kysely, type RawBuilder, sql } from "kysely";
import pg from "pg";
import { DatabaseUnavailable } from "./database.ts";
import type { AnyGuardedWrite, AnyOperation, Consequence, Done, Value } from "./guarded-write.ts";
import { Placeholder, refExpressions, withArguments } from "./prepared.ts";

type AnyTables = Record<string, Record<string, Value>>;

/** Rows for every word that an operation may come to, since the statement decides which. */
export function makeConsequences({ consequences }: AnyOperation): Map<string, Consequence> {
  const words = Object.entries(consequences) as [string, () => Consequence][];
  return new Map(words.map(([word, make]) => [word, make()]));
}

/** Runs every operation; no two of them may be about the same row. All of them are done, or none. */
export function runOnPostgres(db: Kysely<AnyTables>, write: AnyGuardedWrite, operations: readonly AnyOperation[]) {
  return runMade(db, write, operations, operations.map(makeConsequences));
}

/** The same with consequences that the caller has made, and so can look for when the answer is lost. */
export async function runMade(
  db: Kysely<AnyTables>,
  write: AnyGuardedWrite,
  operations: readonly AnyOperation[],
  made: readonly Map<string, Consequence>[],
): Promise<Done[]> {
  const query = withArguments(compile(db, write), parametersOf(write, operations, made));
  const rows = await db.getExecutor().provideConnection(async (connection) => {
    const result = await connection.executeQuery<{ op: number; outcome: string }>(query).catch(orUnwritable);
    return result.rows;
  });
  const outcomes = new Map(rows.map(({ op, outcome }) => [op, outcome]));
  return made.map((consequences, op) => {
    const words = (outcomes.get(op) ?? "none").split(" ");
    return { words, consequences: words.flatMap((word) => consequences.get(word) ?? []) };
  });
}

/** A row cannot be written, of this operation or of another in its statement. */
export class Unwritable extends DatabaseUnavailable {}

/** Whatever keeps a guarded write or its rows from being written: nothing happens without them. */
function orUnwritable(error: unknown): never {
  throw error instanceof pg.DatabaseError ? new Unwritable("a row cannot be written", { cause: error }) : error;
}

/** JSON texts: the inputs, then for each table the rows with the word that they wait for. */
function parametersOf(
  { definition }: AnyGuardedWrite,
  operations: readonly AnyOperation[],
  made: readonly Map<string, Consequence>[],
): Record<string, string> {
  const inputs = operations.map(({ input }, op) => ({ ...input, op }));
  const rowsOf = new Map(Object.keys(definition.inserts).map((table) => [table, [] as object[]]));
  for (const [op, consequences] of made.entries()) {
    for (const [word, { rows }] of consequences) {
      for (const { table, values } of rows) {
        const waiting = rowsOf.get(table);
        if (waiting === undefined) throw new Error(`a guarded write of ${definition.table} inserts into ${table}`);
        waiting.push({ ...values, op, word, place: waiting.length });
      }
    }
  }
  const parameters = [["input", inputs] as const, ...rowsOf].map(([name, rows]) => [name, JSON.stringify(rows)]);
  return Object.fromEntries(parameters);
}

function compile(db: Kysely<AnyTables>, write: AnyGuardedWrite): CompiledQuery {
  const { adapter } = db.getExecutor();
  const known = write.compiled.get(adapter) as CompiledQuery | undefined;
  if (known !== undefined) return known;
  const query = statementOf(write).compile(db);
  write.compiled.set(adapter, query);
  return query;
}

/**
 * Rows are locked in the order of their key, so that two statements over the same rows wait for each other
 * instead of blocking each other for good. The lock brings each row as it is by then, and the guard is held
 * against that: were it part of the update, it would be held against the row as it was when the statement began,
 * and looked at again only where it had held then.
 */
function statementOf({ definition }: AnyGuardedWrite): RawBuilder<unknown> {
  const { table, key, inputs, outcome, inserts } = definition;
  const input = refExpressions<Record<string, Value>>("input");
  const matches = sql.join(
    Object.entries(key).map(([column, name]) => sql`target.${sql.ref(column)} = ${input[name]}`),
    sql` AND `,
  );
  const last = sql.ref(Object.keys(key).at(-1) ?? "");
  const set = Object.entries(definition.set(input)).map(([column, value]) => sql`${sql.ref(column)} = ${value}`);
  const insertions = Object.entries(inserts).map(([name, columns], place) => insertOf(name, columns, place));
  return sql`WITH
    input AS (SELECT *, pg_current_xact_id() FROM json_to_recordset(${new Placeholder("input")}::json)
      AS input(op integer, ${columnsOf(Object.entries(inputs))})),
    locked AS MATERIALIZED (SELECT input.op, target.* FROM ${sql.table(table)} AS target JOIN input ON ${matches}
      ORDER BY target.${last} FOR UPDATE OF target),
    held AS (SELECT input.op FROM locked JOIN input ON input.op = locked.op
      WHERE ${definition.guard(expressionBuilder<AnyTables, string>(), input)}),
    done AS (UPDATE ${sql.table(table)} AS target SET ${sql.join(set)} FROM input JOIN held ON held.op = input.op
      WHERE ${matches} RETURNING input.op, ${outcome} AS outcome)${sql.join(insertions, sql``)}
    SELECT op, outcome FROM done`;
}

function insertOf(table: string, columns: readonly string[], place: number): RawBuilder<unknown> {
  const names = sql.join(columns.map((column) => sql.ref(column)));
  const rows = sql`json_to_recordset(${new Placeholder(table)}::json) AS waiting(op integer, word text, place integer, ${columnsOf(
    columns.map((column) => [column, "text"]),
  )})`;
  return sql`, ${sql.ref(`inserted_${place}`)} AS (INSERT INTO ${sql.table(table)} (${names})
    SELECT ${names} FROM ${rows} LEFT JOIN done USING (op)
    WHERE waiting.word = ANY(string_to_array(coalesce(done.outcome, 'none'), ' ')) ORDER BY waiting.place)`;
}

function columnsOf(columns: readonly (readonly [string, string])[]): RawBuilder<unknown> {
  return sql.join(columns.map(([name, type]) => sql`${sql.ref(name)} ${sql.raw(type)}`));
}
