import type { UserResult } from "@sparekey/sdk";
import { describe, printable } from "../printable.ts";

/** A row that did not become a user. */
export interface RefusedRow {
  /** Line of the file on which the row ends. */
  line: number;
  username: string;
  /** The server's error code; `invalid_row` when the row was not even sent. */
  code: string;
  detail: string;
}

/** What an import did; as `--json` prints it. */
export interface ImportSummary {
  created: number;
  updated: number;
  unchanged: number;
  refused: number;
  refusedRows: RefusedRow[];
}

export function emptySummary(): ImportSummary {
  return { created: 0, updated: 0, unchanged: 0, refused: 0, refusedRows: [] };
}

export function addRefusedRow(summary: ImportSummary, row: RefusedRow): void {
  summary.refused += 1;
  summary.refusedRows.push(row);
}

/** In the order of the file: what the server refuses comes later than what was refused here. */
export function sortByLine(summary: ImportSummary): void {
  summary.refusedRows.sort((one, other) => one.line - other.line);
}

/** Counts the server's results. `lines` are those of the rows that were sent, in the same order. */
export function addResults(summary: ImportSummary, results: readonly UserResult[], lines: readonly number[]): void {
  for (const { row, username, outcome, code = "unknown", detail = code } of results) {
    if (outcome === "refused") addRefusedRow(summary, { line: lines[row - 1] ?? 0, username, code, detail });
    else summary[outcome] += 1;
  }
}

/** `3 created, 1 updated, 0 unchanged, 1 refused`, and a line for each row that was refused. */
export function describeSummary(summary: ImportSummary): string {
  const counts = (["created", "updated", "unchanged", "refused"] as const).map(
    (outcome) => `${summary[outcome].toLocaleString("en")} ${outcome}`,
  );
  const refused = summary.refusedRows.map(
    ({ line, username, detail }) =>
      `  line ${line}: ${username === "" ? "" : `${printable(username)}: `}${describe(detail)}\n`,
  );
  return `${counts.join(", ")}\n${refused.join("")}`;
}
