/** What a person reads, and the file with everything. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Options } from "../options.ts";
import { type Row, summarise } from "../rounds.ts";
import { type Figures, figuresInWords } from "./figures.ts";
import type { Machine } from "./machine.ts";
import { short } from "./numbers.ts";
import { tableOf } from "./table.ts";

/** Of one kind of database. */
export interface Results {
  database: string;
  postgresVersion: string | undefined;
  rows: Row[];
  figures: Figures;
}

export function headerOf({ cores, cpu, memoryGiB, kernel, node, flushMs, pinning }: Machine, options: Options): string {
  return [
    `${cores} cores of ${cpu}, ${memoryGiB} GiB; ${kernel}; Node.js ${node}`,
    `4 kB flushed to disk in ${short(flushMs.p50)} ms (p99 ${short(flushMs.p99)} ms), in ${flushMs.directory}`,
    pinning,
    `${options.rounds} rounds of ${options.seconds} s, each right after the reference; answerTimeMs 0, limits out of the way`,
    "srv, pg, load: microseconds of CPU for an answer; bad: answers that were not what was asked for",
  ].join("\n");
}

export function sectionOf({ database, postgresVersion, rows, figures }: Results): string {
  const name =
    postgresVersion === undefined
      ? `SQLite, WAL, synchronous = FULL: flushed at every commit`
      : `PostgreSQL ${postgresVersion}, fsync and synchronous_commit on, otherwise as it comes, on the same machine`;
  return [name, "", tableOf(rows), "", ...figuresInWords(figures).map((line) => `${database}: ${line}`)].join("\n");
}

export function writeJson(path: string, machine: Machine, options: Options, results: Results[]) {
  const databases = results.map(({ rows, ...rest }) => ({
    ...rest,
    rows: rows.map((row) => ({ ...row.case, summary: summarise(row), pairs: row.pairs })),
  }));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ at: new Date().toISOString(), machine, options, databases }, null, 2)}\n`);
}

export function hasFailures(results: Results[]): boolean {
  const inFigures = ({ figures }: Results) =>
    (figures.overload?.failures ?? 0) > 0 || Object.keys(figures.answerTime?.onTheBeat.failures ?? {}).length > 0;
  return results.some((result) => inFigures(result) || result.rows.some((row) => summarise(row).failures > 0));
}
