/** Looks for plain codes in everything that was written, however they are spelt. */
import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Something that was written: a file, a log, an answer. */
export interface Written {
  where: string;
  content: string;
}

/** Says where which code was found; empty when nowhere. */
export function findCodes(written: Written[], codes: string[]): string[] {
  // In groups and without, and whatever the case.
  const spellings = codes
    .flatMap((code) => [...new Set([code, code.replaceAll("-", "")])])
    .map((text) => text.toLowerCase());
  return written.flatMap(({ where, content }) => {
    const folded = content.toLowerCase();
    return spellings.filter((spelling) => folded.includes(spelling)).map((spelling) => `${spelling} in ${where}`);
  });
}

/** Every file below a directory, byte for byte: database, write-ahead log, keys and whatever else is there. */
export function filesIn(directory: string): Written[] {
  const entries: Dirent[] = readdirSync(directory, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.map((where) => ({ where, content: readFileSync(where, "latin1") }));
}
