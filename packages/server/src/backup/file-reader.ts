/** Reads a backup file, line by line, and does not call it whole before the last of it was checked. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { type BackupHeader, type BackupTrailer, DamagedBackup, parseHeader, parseMark } from "./format.ts";

/** Is handed what was read so far. Nothing of it may be relied on before `readBackupFile` has returned. */
export interface BackupVisitor {
  header(header: BackupHeader): Promise<void>;
  /** Rows of one table, at most some hundreds, each the JSON of an array. */
  rows(table: string, lines: string[]): Promise<void>;
}

export interface ReadBackup {
  header: BackupHeader;
  rows: Readonly<Record<string, number>>;
  /** Of the file as it lies there: what `sha256sum` says. */
  sha256: string;
}

const newline = 0x0a;
const brace = 0x7b;
const maxBatch = 500;

/** Throws `DamagedBackup` unless header, trailer, counts and hash all fit. */
export async function readBackupFile(path: string, visitor: BackupVisitor): Promise<ReadBackup> {
  const outer = createHash("sha256");
  const hashed = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      outer.update(chunk);
      yield chunk;
    }
  };
  const parser = new LineParser(visitor);
  try {
    await pipeline(createReadStream(path), hashed, createGunzip(), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) await parser.take(chunk);
    });
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code.startsWith("Z_")) throw new DamagedBackup("its compressed data is damaged or cut off", { cause: error });
    throw error;
  }
  return { ...(await parser.finish()), sha256: outer.digest("hex") };
}

class LineParser {
  readonly #visitor: BackupVisitor;
  readonly #hash = createHash("sha256");
  #rest: Buffer = Buffer.alloc(0);
  #header: BackupHeader | undefined;
  #trailer: BackupTrailer | undefined;
  readonly #rows: Record<string, number> = {};
  #table = "";
  #batch: string[] = [];

  constructor(visitor: BackupVisitor) {
    this.#visitor = visitor;
  }

  async take(chunk: Buffer): Promise<void> {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    // What was carried over holds no end of a line, or it would not have been.
    let end = bytes.indexOf(newline, this.#rest.length);
    while (end !== -1) {
      await this.#line(bytes.subarray(start, end + 1));
      start = end + 1;
      end = bytes.indexOf(newline, start);
    }
    this.#rest = bytes.subarray(start);
  }

  async finish(): Promise<{ header: BackupHeader; rows: Readonly<Record<string, number>> }> {
    const { rows, sha256 } = this.#trailer ?? {};
    if (this.#header === undefined || rows === undefined || this.#rest.length > 0) {
      throw new DamagedBackup("its end is missing");
    }
    if (this.#hash.digest("hex") !== sha256) throw new DamagedBackup("its content is not what its hash says");
    const expected = this.#header.tables.map(({ name }) => [name, rows[name]]);
    if (JSON.stringify(expected) !== JSON.stringify(Object.entries(this.#rows))) {
      throw new DamagedBackup("it has other tables or rows than it says");
    }
    return { header: this.#header, rows: this.#rows };
  }

  async #line(bytes: Buffer) {
    if (this.#trailer !== undefined) throw new DamagedBackup("it goes on behind its end");
    const line = bytes.toString("utf8", 0, bytes.length - 1);
    if (bytes[0] === brace && this.#header !== undefined) return this.#mark(line, bytes);
    this.#hash.update(bytes);
    if (this.#header === undefined) {
      this.#header = parseHeader(line);
      return this.#visitor.header(this.#header);
    }
    if (this.#batch.push(line) === maxBatch) await this.#flush();
  }

  async #mark(line: string, bytes: Buffer) {
    await this.#flush();
    const mark = parseMark(line);
    if (!("table" in mark)) {
      this.#trailer = mark;
      return;
    }
    this.#hash.update(bytes);
    const known = this.#header?.tables.some(({ name }) => name === mark.table) === true;
    if (!known || mark.table in this.#rows) throw new DamagedBackup("it has a table that it does not list");
    this.#table = mark.table;
    this.#rows[mark.table] = 0;
  }

  async #flush() {
    const lines = this.#batch;
    if (lines.length === 0) return;
    const before = this.#rows[this.#table];
    if (before === undefined) throw new DamagedBackup("it has rows of no table");
    this.#rows[this.#table] = before + lines.length;
    this.#batch = [];
    await this.#visitor.rows(this.#table, lines);
  }
}
