/** How far a long command has come: on standard error, and only where somebody looks at it. */

const everyMs = 200;

export interface Progress {
  add(count: number): void;
  /** Clears the line. */
  end(): void;
}

export function showProgress(what: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  let rows = 0;
  let shownAtMs = performance.now();
  let shown = false;
  return {
    add: (count) => {
      rows += count;
      const nowMs = performance.now();
      if (!stream.isTTY || nowMs - shownAtMs < everyMs) return;
      shownAtMs = nowMs;
      shown = true;
      stream.write(`\r${what}: ${rows.toLocaleString("en")} rows`);
    },
    end: () => {
      if (shown) stream.write("\r\u001b[K");
    },
  };
}
