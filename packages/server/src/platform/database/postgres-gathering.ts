/** Lookups of one kind that wait at the same time, asked in one statement. */
import { type Compilable, type CompiledQuery, type Kysely, type OperationNodeSource, sql } from "kysely";
import { withinMs } from "../deadline.ts";
import { DatabaseUnavailable } from "./database.ts";
import { Placeholder, refExpressions, withArguments } from "./prepared.ts";

/** Statements under way at most: while they are, the next lookups gather. */
const maxStatements = 2;
const maxBatch = 256;
/** How many lookups wait at most; past it the service says that it is overloaded instead of growing. */
const maxWaiting = 10_000;
/** A lookup that has waited for so long is not begun any more: its client is about to be told to come back. */
const maxWaitMs = 1_500;
/** Nobody waits for an answer that takes longer, so that statements on other connections can go on. */
const maxAnswerMs = 1_500;

interface Waiting<Key, Row> {
  key: Key;
  resolve(rows: Row[]): void;
  reject(error: unknown): void;
  sinceMs: number;
}

export class Gathering<Tables, Key extends object, Row> {
  readonly #db: Kysely<Tables>;
  readonly #build: (db: Kysely<Tables>, key: Key) => Compilable<Row>;
  #query: CompiledQuery<Row & { op: number }> | undefined;
  readonly #waiting: Waiting<Key, Row>[] = [];
  #underWay = 0;

  constructor(db: Kysely<Tables>, build: (db: Kysely<Tables>, key: Key) => Compilable<Row>) {
    this.#db = db;
    this.#build = build;
  }

  find(key: Key): Promise<Row[]> {
    if (this.#waiting.length >= maxWaiting) return Promise.reject(new DatabaseUnavailable("too many lookups wait"));
    // PostgreSQL holds no NUL in a text, so nothing has such a key; one in the statement would fail the others too.
    if (Object.values(key).some((part) => String(part).includes("\0"))) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject, sinceMs: performance.now() });
      if (this.#waiting.length === 1) setImmediate(() => this.#startMore());
    });
  }

  #startMore() {
    this.#refuseLate();
    while (this.#underWay < maxStatements && this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, maxBatch);
      this.#underWay++;
      void this.#run(batch).finally(() => {
        this.#underWay--;
        this.#startMore();
      });
    }
  }

  #refuseLate() {
    const lateMs = performance.now() - maxWaitMs;
    const firstInTime = this.#waiting.findIndex(({ sinceMs }) => sinceMs > lateMs);
    const late = this.#waiting.splice(0, firstInTime < 0 ? this.#waiting.length : firstInTime);
    for (const { reject } of late) reject(tooSlow());
  }

  async #run(batch: Waiting<Key, Row>[]): Promise<void> {
    try {
      const asked = this.#ask(batch.map(({ key }) => key));
      const found = await withinMs(maxAnswerMs, asked, tooSlow);
      for (const [op, { resolve }] of batch.entries()) resolve(found.get(op) ?? []);
    } catch (error) {
      // One key may be at fault, such as a text that PostgreSQL cannot hold.
      if (batch.length === 1 || error instanceof DatabaseUnavailable) for (const { reject } of batch) reject(error);
      else for (const one of batch) await this.#run([one]);
    }
  }

  async #ask(keys: Key[]): Promise<Map<number, Row[]>> {
    const [first] = keys;
    if (first === undefined) return new Map();
    this.#query ??= this.#compile(Object.keys(first));
    const query = withArguments(this.#query, { keys: JSON.stringify(keys.map((key, op) => ({ ...key, op }))) });
    const { rows } = await this.#db
      .getExecutor()
      .provideConnection((connection) => connection.executeQuery<Row & { op: number }>(query));
    const found = new Map<number, Row[]>();
    for (const { op, ...row } of rows) {
      const others = found.get(op);
      if (others === undefined) found.set(op, [row as unknown as Row]);
      else others.push(row as unknown as Row);
    }
    return found;
  }

  #compile(names: string[]) {
    const columns = sql.join(names.map((name) => sql`${sql.ref(name)} text`));
    const query = this.#build(this.#db, refExpressions("input") as unknown as Key) as unknown as OperationNodeSource;
    return sql<Row & { op: number }>`SELECT input.op, found.*
      FROM json_to_recordset(${new Placeholder("keys")}::json) AS input(op integer, ${columns})
      CROSS JOIN LATERAL (${query}) AS found`.compile(this.#db);
  }
}

function tooSlow(): DatabaseUnavailable {
  return new DatabaseUnavailable("the database is too slow");
}
