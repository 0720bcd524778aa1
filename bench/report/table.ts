/** The table, and below a row what went wrong in it. */
import { type Row, summarise } from "../rounds.ts";
import { power, range, short, whole } from "./numbers.ts";

const columns: [title: string, side: "left" | "right"][] = [
  ["server", "left"],
  ["call", "left"],
  ["conns", "right"],
  ["users", "right"],
  ["req/s", "right"],
  ["ratio", "right"],
  ["min–max", "right"],
  ["cpu ×", "right"],
  ["all ×", "right"],
  ["p50 ms", "right"],
  ["p99 ms", "right"],
  ["srv", "right"],
  ["pg", "right"],
  ["load", "right"],
  ["MiB", "right"],
  ["bad", "right"],
];

/** From here on the load may be what is measured, and not the reference. */
const busyLoad = 0.95;

export function tableOf(rows: Row[]): string {
  const cells = rows.map(cellsOf);
  const widths = columns.map(([title], index) =>
    Math.max(title.length, ...cells.map((row) => row[index]?.length ?? 0)),
  );
  const line = (row: string[]) =>
    row
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.[1] === "left" ? cell.padEnd(width) : cell.padStart(width);
      })
      .join(" ");
  const titles = columns.map(([title]) => title);
  return [line(titles), ...rows.flatMap((row, index) => [line(cells[index] ?? []), ...complaints(row)])].join("\n");
}

function cellsOf(row: Row): string[] {
  const { database, call, tokens, connections, users, processes } = row.case;
  const { rate, ratio, cpuRatio, cpuRatioAll, p50, p99, cpuMicroseconds: cpu, memoryMiB, failures } = summarise(row);
  return [
    processes === 1 ? database : `${database}×${processes}`,
    tokens === "cold" ? `${call} cold` : call,
    String(connections),
    power(users),
    whole(rate),
    short(ratio.median),
    range(ratio),
    short(cpuRatio.median),
    short(cpuRatioAll.median),
    short(p50),
    short(p99),
    whole(cpu.servers),
    whole(cpu.postgres),
    whole(cpu.load),
    whole(memoryMiB),
    whole(failures),
  ];
}

function complaints(row: Row): string[] {
  const { failures, loadShare } = summarise(row);
  const lines: string[] = [];
  if (row.pairs.some(({ subject }) => subject.answers === 0)) lines.push("  !!! THERE WERE ROUNDS WITHOUT AN ANSWER");
  if (failures > 0) lines.push(`  !!! ${whole(failures)} ANSWERS WERE NOT WHAT WAS ASKED FOR: ${whatFailed(row)}`);
  if (loadShare > busyLoad) lines.push(`  ! the load used ${whole(loadShare * 100)} % of its core: the ratio flatters`);
  return lines;
}

function whatFailed({ pairs }: Row): string {
  const counts = new Map<string, number>();
  for (const { reference, subject } of pairs) {
    for (const [name, count] of Object.entries(reference.failures)) add(`reference ${name}`, count);
    for (const [name, count] of Object.entries(subject.failures)) add(name, count);
  }
  function add(name: string, count: number) {
    counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return [...counts].map(([name, count]) => `${name} ×${count}`).join(", ");
}
