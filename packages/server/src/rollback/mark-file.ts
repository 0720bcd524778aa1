/**
 * The record mark: the newest record that this process has seen committed, in a file outside the database.
 *
 * A database that was put back to an earlier state cannot tell so itself. The mark can: the record that it names
 * is missing there, or another stands in its place.
 */
import { readFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";

export interface RecordMark {
  company: string;
  sequence: number;
  /** The record's id: after a rollback, sequence numbers are given a second time. */
  id: string;
}

/** Is there, but cannot be read. It must not count as missing: that would switch the guard off. */
export class UnreadableMark extends Error {
  override readonly name = "UnreadableMark";
}

export function readMark(path: string): RecordMark | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new UnreadableMark(`${path} cannot be read`, { cause: error });
  }
  const mark = parse(text);
  if (mark === undefined) throw new UnreadableMark(`${path} holds no record mark`);
  return mark;
}

/** Whole or not at all, also when the power fails. */
export async function writeMark(path: string, { company, sequence, id }: RecordMark): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(`${JSON.stringify({ company, sequence, id })}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

function parse(text: string): RecordMark | undefined {
  try {
    const { company, sequence, id } = JSON.parse(text) as Partial<RecordMark>;
    if (typeof company !== "string" || typeof id !== "string" || !Number.isSafeInteger(sequence)) return undefined;
    return { company, sequence: sequence as number, id };
  } catch {
    return undefined;
  }
}
