/** Queries that are built and compiled once, and then only given their arguments. */
import { type Compilable, type CompiledQuery, type Expression, type Kysely, sql } from "kysely";

/** Stands for an argument while the query is built. */
export class Placeholder {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A compiled query with its arguments in place of the placeholders. */
export function withArguments<Row>(query: CompiledQuery<Row>, args: object): CompiledQuery<Row> {
  const values = args as Record<string, unknown>;
  return {
    ...query,
    parameters: query.parameters.map((value) => (value instanceof Placeholder ? values[value.name] : value)),
  };
}

/**
 * A query for the hot path: building and compiling it costs more than SQLite needs to answer it.
 *
 * `build` sees placeholders in place of its arguments, so it may only put them into the query: what is
 * computed from an argument is computed by the caller. Answers the rows.
 */
export function prepared<Tables, Arguments extends object, Row>(
  build: (db: Kysely<Tables>, args: Arguments) => Compilable<Row>,
): (db: Kysely<Tables>, args: Arguments) => Promise<Row[]> {
  // By adapter, since each dialect has its own text; transactions share the adapter of their database.
  const compiled = new WeakMap<object, CompiledQuery<Row>>();
  return async (db, args) => {
    const executor = db.getExecutor();
    let query = compiled.get(executor.adapter);
    if (query === undefined) {
      query = build(db, placeholders<Arguments>()).compile();
      compiled.set(executor.adapter, query);
    }
    const toRun = withArguments(query, args);
    // Past Kysely's plugins, of which there are none here: they cost as much as the statement.
    return executor.provideConnection(async (connection) => (await connection.executeQuery<Row>(toRun)).rows);
  };
}

function placeholders<Arguments extends object>(): Arguments {
  return new Proxy({}, { get: (_, name) => new Placeholder(String(name)) }) as Arguments;
}

/** The same placeholders as expressions, for a query that may find its values elsewhere in another dialect. */
export function placeholderExpressions<Input>(placeholdersOfInput: object): Expressions<Input> {
  const found = placeholdersOfInput as Record<string, unknown>;
  return new Proxy({}, { get: (_, name) => sql.val(found[String(name)]) }) as Expressions<Input>;
}

/** Values that a query finds in the columns of another table. */
export function refExpressions<Input>(table: string): Expressions<Input> {
  return new Proxy({}, { get: (_, name) => sql.ref(`${table}.${String(name)}`) }) as Expressions<Input>;
}

type Expressions<Input> = { readonly [Name in keyof Input]: Expression<Input[Name]> };
