/**
 * What a backup file holds: gzip'd JSON lines.
 *
 * The first line is the header. Then, table by table, a line that names the table and a line for each row, an array
 * in the order of the header's columns. The last line is the trailer: rows by table, and the SHA-256 of every byte
 * before it. The hash finds what was damaged or cut off. It does not find a forger, who can compute it too.
 */

/** Raised when an older Sparekey could no longer read what a newer one writes. */
export const formatVersion = 1;

export interface BackupHeader {
  format: "sparekey-backup";
  version: number;
  /** Names of the migrations that made the schema. */
  migrations: readonly string[];
  company: { id: string; name: string };
  madeAt: string;
  /** The version of Sparekey that made it. */
  sparekey: string;
  /** In the order in which they follow. */
  tables: readonly { name: string; columns: readonly string[] }[];
}

export interface BackupTrailer {
  rows: Readonly<Record<string, number>>;
  sha256: string;
}

/** The file is no backup, or not whole, or not as it was written. */
export class DamagedBackup extends Error {
  override readonly name = "DamagedBackup";
}

/** A backup in a form that this version does not read. */
export class NewerBackup extends Error {
  override readonly name = "NewerBackup";
}

export function lineOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

export function parseHeader(line: string): BackupHeader {
  const header = parseObject(line) as Partial<BackupHeader>;
  if (header.format !== "sparekey-backup") throw new DamagedBackup("it is not a backup of Sparekey");
  if (header.version !== formatVersion) throw new NewerBackup(`it has format ${header.version}`);
  return header as BackupHeader;
}

/** A line that begins with a brace, after the header: the name of the table that follows, or the trailer. */
export function parseMark(line: string): { table: string } | BackupTrailer {
  const mark = parseObject(line);
  if ("table" in mark && typeof mark.table === "string") return { table: mark.table };
  if ("rows" in mark && "sha256" in mark) return mark as unknown as BackupTrailer;
  throw new DamagedBackup("it has a line that means nothing");
}

export function parseRow(line: string): (string | number | null)[] {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new DamagedBackup("it has a row that cannot be read", { cause: error });
  }
}

function parseObject(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Below: whatever it is, it is no such line.
  }
  throw new DamagedBackup("it is not a backup of Sparekey");
}

/** `sparekey-example-corp-20261124T105959Z.backup`; `at` is RFC 3339 in UTC. */
export function defaultFileName(companyName: string, at: string): string {
  const plain = companyName.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const name = plain.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
  const utc = at.replace(/\.\d+Z$/, "Z").replace(/[-:]/g, "");
  return `sparekey-${name.slice(0, 60) || "company"}-${utc}.backup`;
}
