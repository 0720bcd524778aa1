/** A backup is every table of one moment in one file; restoring it voids every code that was live in it. */
import { AuditService } from "../audit/service.ts";
import { type Company, findCompany } from "../installation/service.ts";
import { type RootKey, rootKeyFits, WrongRootKey } from "../keyring/service.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import { type Migrations, migrateToLatest, pendingMigrations } from "../platform/database/migrate.ts";
import { setCounter } from "../platform/database/portable-schema.ts";
import { describeTables, pagesOf, RowInserter, tableColumns } from "../platform/database/table-rows.ts";
import type { Random } from "../platform/random.ts";
import { commandCall } from "../principal.ts";
import { voidLive } from "../rollback/service.ts";
import { migrations } from "../schema/migrations.ts";
import { countedColumn, tableKeys } from "../schema/table-keys.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import { type ReadBackup, readBackupFile } from "./file-reader.ts";
import { type WrittenBackup, writeBackupFile } from "./file-writer.ts";
import { type BackupHeader, DamagedBackup, defaultFileName, formatVersion, NewerBackup, parseRow } from "./format.ts";

export { FileExists } from "./file-writer.ts";
export { DamagedBackup, NewerBackup } from "./format.ts";
export { findMovedTo } from "./store.ts";

export interface MadeBackup extends WrittenBackup {
  path: string;
  company: string;
  madeAt: string;
}

interface BackupOptions {
  clock: Clock;
  /** Of Sparekey, for the header. */
  version: string;
  /** In place of the usual name. */
  path?: string | undefined;
  /** Told after each page. */
  onRows(count: number): void;
}

/** Writes one consistent state of every table, while the service goes on writing. */
export function makeBackup(db: Database<Tables>, { clock, version, path, onRows }: BackupOptions): Promise<MadeBackup> {
  return db.snapshot(async (snapshot) => {
    const { id, name } = (await findCompany(snapshot)) as Company;
    const { pending } = await pendingMigrations(snapshot, migrations);
    const tables = await describeTables(snapshot, tableKeys);
    const header: BackupHeader = {
      format: "sparekey-backup",
      version: formatVersion,
      migrations: Object.keys(migrations).filter((migration) => !pending.includes(migration)),
      company: { id, name },
      madeAt: clock.now(),
      sparekey: version,
      tables: tables.map((table) => ({ name: table.name, columns: table.columns })),
    };
    const file = path ?? defaultFileName(name, header.madeAt);
    const rows = tables.map((table) => ({ table: table.name, pages: pagesOf(snapshot, table) }));
    const written = await writeBackupFile(file, header, rows, onRows);
    return { ...written, path: file, company: name, madeAt: header.madeAt };
  });
}

/** A backup file that was read to its end and found whole. */
export interface CheckedBackup extends ReadBackup {
  path: string;
  /** Rows of the small tables that say whose keys they are. */
  first: ReadonlyMap<string, readonly string[]>;
}

/** All that the keyring needs to be opened. */
const firstTables: readonly string[] = ["company", "settings", "revision", "keyring_keys"];

/** Reads the whole file and makes nothing. Throws `DamagedBackup` or `NewerBackup`. */
export async function checkBackup(path: string): Promise<CheckedBackup> {
  const first = new Map<string, string[]>();
  const read = await readBackupFile(path, {
    header: async ({ migrations: names, sparekey }) => {
      if (!Array.isArray(names) || names.some((name) => !(name in migrations))) {
        throw new NewerBackup(`it was made by Sparekey ${sparekey}, whose schema is newer`);
      }
    },
    rows: async (table, lines) => {
      if (firstTables.includes(table)) first.set(table, [...(first.get(table) ?? []), ...lines]);
    },
  });
  return { ...read, path, first };
}

/**
 * Opens the backup's keys in an empty database that is thrown away. Throws `WrongRootKey`.
 *
 * The keys are in the form of the backup's own schema, so they are brought to today's first.
 */
export async function checkRootKey(
  empty: Database<Tables>,
  { header, first }: CheckedBackup,
  rootKey: RootKey,
): Promise<void> {
  await empty.migrate(async (connection) => {
    await migrateToLatest(connection, migrationsOf(header));
    for (const { name, columns } of header.tables) {
      await new RowInserter(connection, name, columns).insert((first.get(name) ?? []).map(parseRow));
    }
    await migrateToLatest(connection, migrations);
    if (await rootKeyFits(connection, header.company.id, rootKey)) return;
    throw new WrongRootKey("the root key does not open the keys in the backup");
  });
}

export interface Restored {
  /** Codes that were live, and are void. */
  voided: number;
  /** Migrations that the backup was older than. */
  migrated: string[];
}

interface RestoreOptions {
  clock: Clock;
  random: Random;
  /** How the file is called in the record. */
  fileName: string;
  onRows(count: number): void;
}

/**
 * Fills an empty database in one transaction: the schema of the backup, its rows, the migrations since, and the end
 * of every code that was live. Such a code may have been used or revoked after the backup was made.
 */
export function restoreBackup(
  db: Database<Tables>,
  backup: CheckedBackup,
  { clock, random, fileName, onRows }: RestoreOptions,
): Promise<Restored> {
  const { header, sha256 } = backup;
  const companyId = header.company.id;
  const audit = new AuditService({ db, companyId, clock, random });
  return db.migrate((connection) =>
    connection.transaction().execute(async (trx: Connection) => {
      await migrateToLatest(trx, migrationsOf(header));
      await insertRows(trx, backup, onRows);
      const migrated = await migrateToLatest(trx, migrations);
      await setCounter(trx, countedColumn.table, countedColumn.column);
      const voided = await voidLive(trx, companyId, clock.now());
      const details = { file: fileName, sha256, madeAt: header.madeAt, madeBy: header.sparekey, voided };
      await audit.record(trx, commandCall, { action: "installation.restored", details });
      return { voided, migrated };
    }),
  );
}

async function insertRows(trx: Connection, backup: CheckedBackup, onRows: (count: number) => void) {
  await requireSameTables(trx, backup.header);
  let inserter: { table: string; into: RowInserter<Tables> } | undefined;
  const { sha256 } = await readBackupFile(backup.path, {
    header: async () => undefined,
    rows: async (table, lines) => {
      if (inserter?.table !== table) {
        const columns = backup.header.tables.find(({ name }) => name === table)?.columns ?? [];
        inserter = { table, into: new RowInserter(trx, table, columns) };
      }
      await inserter.into.insert(lines.map(parseRow));
      onRows(lines.length);
    },
  });
  if (sha256 !== backup.sha256) throw new DamagedBackup("it was changed while it was read");
}

/** A table that the backup leaves out would be restored empty, and nobody would miss it at first. */
async function requireSameTables(trx: Connection, header: BackupHeader) {
  const shape = (tables: Iterable<readonly [string, readonly string[]]>) =>
    JSON.stringify([...tables].map(([name, columns]) => [name, [...columns].sort()]).sort());
  const there = shape(await tableColumns(trx));
  const listed = shape(header.tables.map(({ name, columns }) => [name, columns] as const));
  if (there !== listed) throw new DamagedBackup("its tables are not those of its own schema");
}

function migrationsOf(header: BackupHeader): Migrations {
  return Object.fromEntries(Object.entries(migrations).filter(([name]) => header.migrations.includes(name)));
}
