/**
 * Moves an installation into another database: every row copied, every row compared, and only then served there.
 *
 * Both sides change in one transaction each, and the source commits first. Whatever fails, and whenever, there is
 * never a moment at which both databases could be served: codes stay live in a move, and a code that is used in
 * one of two copies would still work in the other.
 */
import { AuditService } from "../audit/service.ts";
import { type Company, findCompany } from "../installation/service.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { migrateToLatest } from "../platform/database/migrate.ts";
import { setCounter } from "../platform/database/portable-schema.ts";
import {
  countRows,
  describeTables,
  findRows,
  pagesOf,
  RowInserter,
  type Table,
  type Value,
} from "../platform/database/table-rows.ts";
import type { Random } from "../platform/random.ts";
import { commandCall } from "../principal.ts";
import { migrations } from "../schema/migrations.ts";
import { countedColumn, tableKeys } from "../schema/table-keys.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import { findMovedTo } from "./store.ts";

/** The target holds an installation already: the one that was to be moved, or another. */
export class TargetInUse extends Error {
  override readonly name = "TargetInUse";
  readonly sameCompany: boolean;

  constructor(sameCompany: boolean) {
    super(`the target holds ${sameCompany ? "this installation" : "other data"} already`);
    this.sameCompany = sameCompany;
  }
}

/** The source was moved elsewhere before. */
export class AlreadyMoved extends Error {
  override readonly name = "AlreadyMoved";
}

/** The target does not hold what the source holds. Nothing of the copy was kept. */
export class CopyDiffers extends Error {
  override readonly name = "CopyDiffers";
}

interface CopyOptions {
  clock: Clock;
  random: Random;
  /** How the two are called in the record, without credentials. */
  names: { from: string; to: string };
  /** Told after each page, copied and then compared. */
  onRows(count: number): void;
}

export interface Copied {
  rows: Record<string, number>;
}

/**
 * The source must not be served meanwhile: the caller holds its lock, and its transaction keeps commands out. Where
 * this fails the source is as before, or already moved but not yet there: then the same copy again finishes it.
 */
export function copyInstallation(
  from: Database<Tables>,
  to: Database<Tables>,
  { clock, random, names, onRows }: CopyOptions,
): Promise<Copied> {
  return to.migrate((target) =>
    target.transaction().execute(async (copy: Connection) => {
      await migrateToLatest(copy, migrations);
      const { rows, companyId } = await from.migrate((source) =>
        source.transaction().execute(async (original: Connection) => {
          const { id: companyId } = (await findCompany(original)) as Company;
          await requireEmpty(copy, companyId);
          const movedTo = await findMovedTo(original);
          if (movedTo !== undefined && movedTo !== names.to) throw new AlreadyMoved(movedTo);
          const rows = await copyAndCompare(original, copy, onRows);
          if (movedTo === undefined) {
            const audit = new AuditService({ db: from, companyId, clock, random });
            const entry = { action: "installation.moved", details: { movedTo: names.to } } as const;
            await audit.record(original, commandCall, entry);
          }
          return { rows, companyId };
        }),
      );
      await setCounter(copy, countedColumn.table, countedColumn.column);
      const audit = new AuditService({ db: to, companyId, clock, random });
      const entry = { action: "installation.moved", details: { movedFrom: names.from } } as const;
      await audit.record(copy, commandCall, entry);
      return { rows };
    }),
  );
}

async function requireEmpty(copy: Connection, companyId: string) {
  for (const table of Object.keys(tableKeys)) {
    if ((await countRows(copy, table)) > 0) throw new TargetInUse((await findCompany(copy))?.id === companyId);
  }
}

async function copyAndCompare(original: Connection, copy: Connection, onRows: (count: number) => void) {
  const tables = await describeTables(original, tableKeys);
  const rows: Record<string, number> = {};
  for (const table of tables) {
    const inserter = new RowInserter(copy, table.name, table.columns);
    rows[table.name] = 0;
    for await (const page of pagesOf(original, table)) {
      await inserter.insert(page);
      rows[table.name] = (rows[table.name] ?? 0) + page.length;
      onRows(page.length);
    }
  }
  for (const table of tables) await compare(original, copy, table, onRows);
  return rows;
}

/** Every row of the source is in the target as it is, and no other is there. */
async function compare(original: Connection, copy: Connection, table: Table, onRows: (count: number) => void) {
  const place = table.key.map((column) => table.columns.indexOf(column));
  const keyOf = (row: readonly Value[]) => place.map((index) => row[index] as Value);
  let count = 0;
  for await (const page of pagesOf(original, table)) {
    const found = await findRows(copy, table, page.map(keyOf));
    const copied = new Map(found.map((row) => [JSON.stringify(keyOf(row)), JSON.stringify(row)]));
    for (const row of page) {
      const key = JSON.stringify(keyOf(row));
      if (copied.get(key) !== JSON.stringify(row)) throw new CopyDiffers(`${table.name} ${key}`);
    }
    count += page.length;
    onRows(page.length);
  }
  if ((await countRows(copy, table.name)) !== count) throw new CopyDiffers(`${table.name} has more rows`);
}
