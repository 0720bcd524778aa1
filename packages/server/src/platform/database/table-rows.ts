/** Whole tables, row by row, whatever they hold: for backups and for copies into another database. */
import { type CompiledQuery, type Kysely, sql } from "kysely";

/** All that a portable schema stores. */
export type Value = string | number | null;

export interface Table {
  name: string;
  columns: readonly string[];
  /** The primary key. */
  key: readonly string[];
}

/** Rows per page and per statement: few enough for memory, and for SQLite's 32,766 parameters a statement. */
export const pageRows = 500;
const maxParameters = 30_000;

type Rows = Record<string, Value>;
type AnyTables = Record<string, Rows>;

/** The tables that are there, in the order of `keys`, each with its columns. */
export async function describeTables<Tables>(
  db: Kysely<Tables>,
  keys: Readonly<Record<string, readonly string[]>>,
): Promise<Table[]> {
  const columnsOf = await tableColumns(db);
  return Object.entries(keys).flatMap(([name, key]) => {
    const columns = columnsOf.get(name);
    return columns === undefined ? [] : [{ name, columns, key }];
  });
}

/** Columns by table, without the tables in which migrations are counted. */
export async function tableColumns<Tables>(db: Kysely<Tables>): Promise<Map<string, string[]>> {
  const tables = await db.introspection.getTables();
  return new Map(
    tables.filter(({ isView }) => !isView).map(({ name, columns }) => [name, columns.map((column) => column.name)]),
  );
}

/** Every row, in pages in the order of the primary key; a row's values are in the order of the columns. */
export async function* pagesOf<Tables>(db: Kysely<Tables>, { name, columns, key }: Table): AsyncGenerator<Value[][]> {
  const place = key.map((column) => columns.indexOf(column));
  const columnsOfKey = sql.join(key.map((column) => sql.ref(column)));
  let page = (db as unknown as Kysely<AnyTables>).selectFrom(name).select(columns).limit(pageRows);
  for (const column of key) page = page.orderBy(column);
  let query = page;
  while (true) {
    const rows = toValues(await query.execute(), columns);
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageRows) return;
    query = page.where(sql<boolean>`(${columnsOfKey}) > (${sql.join(place.map((index) => last[index]))})`);
  }
}

/** Those of the rows that are there, by their primary keys, in no order. */
export async function findRows<Tables>(
  db: Kysely<Tables>,
  { name, columns, key }: Table,
  keys: readonly (readonly Value[])[],
): Promise<Value[][]> {
  // A list of VALUES compares whole keys in both dialects; a single column needs none, and keeps its type so.
  const list =
    key.length === 1
      ? sql.join(keys.map(([value]) => value))
      : sql`VALUES ${sql.join(keys.map((values) => sql`(${sql.join([...values])})`))}`;
  const found = await (db as unknown as Kysely<AnyTables>)
    .selectFrom(name)
    .select(columns)
    .where(sql<boolean>`(${sql.join(key.map((column) => sql.ref(column)))}) IN (${list})`)
    .execute();
  return toValues(found, columns);
}

export async function countRows<Tables>(db: Kysely<Tables>, table: string): Promise<number> {
  const query = (db as unknown as Kysely<AnyTables>).selectFrom(table).select((eb) => eb.fn.countAll().as("count"));
  return Number((await query.executeTakeFirstOrThrow()).count);
}

/** Inserts rows into one table. The statement is built once for each number of rows, and then only given its values. */
export class RowInserter<Tables> {
  readonly #db: Kysely<AnyTables>;
  readonly #table: string;
  readonly #columns: readonly string[];
  readonly #compiled = new Map<number, CompiledQuery>();

  constructor(db: Kysely<Tables>, table: string, columns: readonly string[]) {
    this.#db = db as unknown as Kysely<AnyTables>;
    this.#table = table;
    this.#columns = columns;
  }

  async insert(rows: readonly (readonly Value[])[]): Promise<void> {
    const most = Math.max(1, Math.floor(maxParameters / this.#columns.length));
    for (let start = 0; start < rows.length; start += most) {
      const batch = rows.slice(start, start + most);
      await this.#db.executeQuery({ ...this.#statement(batch.length), parameters: batch.flat() });
    }
  }

  #statement(count: number): CompiledQuery {
    const known = this.#compiled.get(count);
    if (known !== undefined) return known;
    const values = sql.join(Array.from({ length: count }, () => sql`(${sql.join(this.#columns.map(() => ""))})`));
    const columns = sql.join(this.#columns.map((column) => sql.ref(column)));
    const compiled = sql`INSERT INTO ${sql.table(this.#table)} (${columns}) VALUES ${values}`.compile(this.#db);
    this.#compiled.set(count, compiled);
    return compiled;
  }
}

function toValues(rows: Rows[], columns: readonly string[]): Value[][] {
  return rows.map((row) => columns.map((column) => row[column] ?? null));
}
