import { createReadStream } from "node:fs";
import { CsvError, parse } from "csv-parse";
import { CliError } from "../cli-error.ts";
import { type CsvColumn, checkHeader } from "./user-row.ts";

/** One row of the file, and the line on which it ends. */
export interface CsvRow {
  line: number;
  fields: Partial<Record<CsvColumn, string>>;
  /** How much of the file was read so far, from 0 to 1. */
  progress: number;
}

/** Reads a CSV file row by row, however long it is. */
export async function* readCsvRows(path: string, sizeBytes: number): AsyncGenerator<CsvRow, void, void> {
  const file = createReadStream(path);
  const parser = parse({ bom: true, columns: checkHeader, info: true, skipEmptyLines: true, trim: true });
  file.on("error", (error) => parser.destroy(error));
  file.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: CsvRow["fields"];
      info: { lines: number; bytes: number };
    }>) {
      yield { line: info.lines, fields: record, progress: sizeBytes === 0 ? 1 : info.bytes / sizeBytes };
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (!(error instanceof CsvError)) throw CliError.unreadable(path, error);
    throw new CliError(`${path} is not a CSV file: ${describeCsvError(error)}`, { cause: error });
  } finally {
    file.destroy();
  }
}

function describeCsvError(error: CsvError): string {
  const { lines } = error as { lines?: number };
  const reasons: Record<string, string> = {
    CSV_RECORD_INCONSISTENT_COLUMNS: "it has more or fewer fields than the first line",
    CSV_QUOTE_NOT_CLOSED: "a quotation mark is not closed",
    CSV_INVALID_CLOSING_QUOTE: "text follows a closing quotation mark",
    INVALID_OPENING_QUOTE: "a quotation mark stands inside a field",
  };
  return `line ${lines ?? "?"}: ${reasons[error.code] ?? error.code}`;
}
