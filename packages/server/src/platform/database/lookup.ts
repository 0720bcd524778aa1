/** Reads by a key on the hot path. On PostgreSQL those that wait at the same time travel as one statement. */
import type { Compilable, Kysely } from "kysely";
import { isPostgres } from "./portable-schema.ts";
import { Gathering } from "./postgres-gathering.ts";
import { prepared } from "./prepared.ts";

/**
 * A query for the rows of one key. `build` sees placeholders in place of the key's parts, all of them texts, so it
 * may only put them into the query. In a unit of work it is a statement like any other.
 */
export function lookup<Tables, Key extends object, Row>(
  build: (db: Kysely<Tables>, key: Key) => Compilable<Row>,
): (db: Kysely<Tables>, key: Key) => Promise<Row[]> {
  const alone = prepared(build);
  const gatherings = new WeakMap<object, Gathering<Tables, Key, Row>>();
  return (db, key) => {
    if (!isPostgres(db) || db.isTransaction) return alone(db, key);
    const { adapter } = db.getExecutor();
    let gathering = gatherings.get(adapter);
    if (gathering === undefined) {
      gathering = new Gathering(db, build);
      gatherings.set(adapter, gathering);
    }
    return gathering.find(key);
  };
}
