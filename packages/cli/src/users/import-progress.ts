const barWidth = 30;

/** How far an import is: a bar on a terminal, nothing elsewhere. */
export interface ImportProgress {
  /** @param part how much of the file is done, from 0 to 1 */
  show(part: number, rows: number): void;
  /** Takes the bar away, so that the summary stands alone. */
  end(): void;
}

export function startImportProgress(stream: NodeJS.WriteStream): ImportProgress {
  if (!stream.isTTY) return { show: () => {}, end: () => {} };
  return {
    show(part, rows) {
      const done = Math.round(part * barWidth);
      const bar = "█".repeat(done) + "░".repeat(barWidth - done);
      stream.write(`\r${bar} ${String(Math.round(part * 100)).padStart(3)} %  ${rows.toLocaleString("en")} rows`);
    },
    // Erases the line.
    end: () => stream.write("\r\u001B[2K"),
  };
}
