/** Writes a backup file: whole under its name, or not there at all. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { type BackupHeader, lineOf } from "./format.ts";

export interface BackupTableRows {
  table: string;
  pages: AsyncIterable<readonly (readonly unknown[])[]>;
}

export interface WrittenBackup {
  rows: Record<string, number>;
  /** Of the file as it lies there: what `sha256sum` says. */
  sha256: string;
  bytes: number;
}

/** There is such a file already, and a backup overwrites nothing. */
export class FileExists extends Error {
  override readonly name = "FileExists";
}

/** Times as large as level 6, at a third of its time: a backup is bound by it. */
const compressionLevel = 3;

/** Streams the tables into a temporary file beside `path`, flushes it, and gives it its name. */
export async function writeBackupFile(
  path: string,
  header: BackupHeader,
  tables: Iterable<BackupTableRows>,
  onRows: (count: number) => void,
): Promise<WrittenBackup> {
  if (existsSync(path)) throw new FileExists(`${path} is already there`);
  const temporary = join(dirname(path), `.${basename(path)}.unfinished`);
  const file = await openNew(temporary);
  try {
    const rows: Record<string, number> = {};
    const outer = createHash("sha256");
    // Not a write stream on the handle: it would hold it, and closing would wait for it for ever.
    const write = async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        outer.update(chunk);
        await file.writeFile(chunk);
      }
    };
    await pipeline(linesOf(header, tables, rows, onRows), createGzip({ level: compressionLevel }), write);
    await file.sync();
    const { size: bytes } = await file.stat();
    if (existsSync(path)) throw new FileExists(`${path} is already there`);
    await rename(temporary, path);
    await syncDirectory(dirname(path));
    return { rows, sha256: outer.digest("hex"), bytes };
  } finally {
    await file.close();
    await rm(temporary, { force: true });
  }
}

/** Not taken over from another: that one may still be writing, and would give our half a file its name. */
async function openNew(path: string) {
  try {
    return await open(path, "wx", 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new FileExists(`${path} is there: another backup writes it, or was cut off`, { cause: error });
  }
}

/** A name is durable once its directory is flushed. */
async function syncDirectory(path: string) {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function* linesOf(
  header: BackupHeader,
  tables: Iterable<BackupTableRows>,
  rows: Record<string, number>,
  onRows: (count: number) => void,
): AsyncGenerator<string> {
  const inner = createHash("sha256");
  const hashed = (text: string) => {
    inner.update(text);
    return text;
  };
  yield hashed(lineOf(header));
  for (const { table, pages } of tables) {
    rows[table] = 0;
    yield hashed(lineOf({ table }));
    for await (const page of pages) {
      rows[table] += page.length;
      yield hashed(page.map(lineOf).join(""));
      onRows(page.length);
    }
  }
  yield lineOf({ rows, sha256: inner.digest("hex") });
}
