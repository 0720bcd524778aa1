/** Queries that are built and compiled once, and then only given their arguments. */
import type { Compilable, CompiledQuery, Kysely } from "kysely";

/** Stands for an argument while the query is built. */
class Placeholder {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
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
    const values = args as Record<string, unknown>;
    const parameters = query.parameters.map((value) => (value instanceof Placeholder ? values[value.name] : value));
    const toRun = { ...query, parameters };
    // Past Kysely's plugins, of which there are none here: they cost as much as the statement.
    return executor.provideConnection(async (connection) => (await connection.executeQuery<Row>(toRun)).rows);
  };
}

function placeholders<Arguments extends object>(): Arguments {
  return new Proxy({}, { get: (_, name) => new Placeholder(String(name)) }) as Arguments;
}
