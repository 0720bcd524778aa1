import { statSync } from "node:fs";
import type { SparekeyClient } from "@sparekey/sdk";
import { CliError } from "../cli-error.ts";
import { connect, type GlobalOptions } from "../connection.ts";
import { exitCodes } from "../exit-codes.ts";
import { print, printJson } from "../terminal.ts";
import { readCsvRows } from "./csv-rows.ts";
import { startImportProgress } from "./import-progress.ts";
import {
  addRefusedRow,
  addResults,
  describeSummary,
  emptySummary,
  type ImportSummary,
  sortByLine,
} from "./import-summary.ts";
import { createUserBatch } from "./user-batch.ts";
import { readUserRow } from "./user-row.ts";

export async function importUsers(path: string, options: GlobalOptions): Promise<void> {
  const sizeBytes = fileSize(path);
  const client = connect(options);
  const summary = emptySummary();
  try {
    await importFile(client, path, sizeBytes, summary);
  } finally {
    // Also when it stops half way: what is done is done, and a second run finds it unchanged.
    sortByLine(summary);
    if (options.json) printJson(summary);
    else print(describeSummary(summary));
  }
  if (summary.refused > 0) process.exitCode = exitCodes.refused.number;
}

async function importFile(
  client: SparekeyClient,
  path: string,
  sizeBytes: number,
  summary: ImportSummary,
): Promise<void> {
  const progress = startImportProgress(process.stderr);
  const batch = createUserBatch();
  let rows = 0;

  async function send(): Promise<void> {
    const { users, lines } = batch.take();
    if (users.length > 0) addResults(summary, (await client.users.upsertBatch(users)).results, lines);
  }

  try {
    for await (const { line, fields, progress: part } of readCsvRows(path, sizeBytes)) {
      rows += 1;
      const row = readUserRow(fields);
      if ("user" in row) batch.add(row.user, line);
      else addRefusedRow(summary, { line, username: fields.username ?? "", code: "invalid_row", detail: row.problem });
      if (!batch.isFull()) continue;
      await send();
      progress.show(part, rows);
    }
    await send();
  } finally {
    progress.end();
  }
}

function fileSize(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw CliError.unreadable(path, error);
  }
}
