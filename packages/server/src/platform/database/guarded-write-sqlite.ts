/** Guarded writes on SQLite: the update, then the inserts of its outcome, in the transaction that is open. */
import type { Kysely } from "kysely";
import { DatabaseUnavailable } from "./database.ts";
import type { AnyGuardedWrite, AnyOperation, Done, Inputs, Value } from "./guarded-write.ts";
import { placeholderExpressions, prepared } from "./prepared.ts";

type Row = Record<string, Value>;
type AnyTables = Record<string, Row>;
type Run<Result> = (db: Kysely<AnyTables>, args: Row) => Promise<Result[]>;

interface Compiled {
  update: Run<{ outcome: string }>;
  inserts: Map<string, Run<unknown>>;
}

export async function runOnSqlite(
  db: Kysely<AnyTables>,
  write: AnyGuardedWrite,
  operations: readonly AnyOperation[],
): Promise<Done[]> {
  const done: Done[] = [];
  for (const operation of operations) done.push(await runOne(db, write, operation));
  return done;
}

async function runOne(
  db: Kysely<AnyTables>,
  write: AnyGuardedWrite,
  { input, consequences }: AnyOperation,
): Promise<Done> {
  const { update, inserts } = compile(db, write);
  const [row] = await orUnavailable(update(db, input));
  const words = row === undefined ? ["none"] : row.outcome.split(" ");
  const happened = words.flatMap((word) => consequences[word]?.() ?? []);
  for (const { rows } of happened) {
    for (const { table, values } of rows) await orUnavailable(insertInto(inserts, table)(db, values));
  }
  return { words, consequences: happened };
}

/** Whatever keeps a guarded write or its rows from being written: nothing happens without them. */
async function orUnavailable<Result>(statement: Promise<Result>): Promise<Result> {
  try {
    return await statement;
  } catch (error) {
    throw error instanceof DatabaseUnavailable
      ? error
      : new DatabaseUnavailable("a row cannot be written", { cause: error });
  }
}

function updateOf(db: Kysely<AnyTables>, { definition }: AnyGuardedWrite, input: Inputs<Row>) {
  let update = db.updateTable(definition.table).set(definition.set(input));
  for (const [column, name] of Object.entries(definition.key)) update = update.where(column, "=", input[name] as never);
  return update.where((eb) => definition.guard(eb, input)).returning(definition.outcome.as("outcome"));
}

function insertInto(inserts: Compiled["inserts"], table: string): Run<unknown> {
  const insert = inserts.get(table);
  if (insert === undefined) throw new Error(`a guarded write does not insert into ${table}`);
  return insert;
}

function compile(db: Kysely<AnyTables>, write: AnyGuardedWrite): Compiled {
  const { adapter } = db.getExecutor();
  const known = write.compiled.get(adapter) as Compiled | undefined;
  if (known !== undefined) return known;
  const { definition } = write;
  const update = prepared((connection: Kysely<AnyTables>, args: Row) =>
    updateOf(connection, write, placeholderExpressions(args)),
  ) as Compiled["update"];
  const inserts = new Map(
    Object.entries(definition.inserts).map(([table, columns]) => [
      table,
      prepared((connection: Kysely<AnyTables>, args: Row) =>
        connection
          .insertInto(table)
          .values(Object.fromEntries(columns.map((column) => [column, args[column] as Value]))),
      ) as Run<unknown>,
    ]),
  );
  const compiled = { update, inserts };
  write.compiled.set(adapter, compiled);
  return compiled;
}
