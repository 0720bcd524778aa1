/** Load from this process: so many connections, each sending the next request when the last is answered. */
import autocannon, { type Request } from "autocannon";

export interface Load {
  connections: number;
  seconds: number;
}

export interface Figures {
  /** Answers a second. */
  rate: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

/** Sends what `next` makes, in turn. Any answer but 200 ends the bench: a wrong answer is not a fast one. */
export async function apply(url: string, { connections, seconds }: Load, next: () => Request): Promise<Figures> {
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    requests: [{ setupRequest: (request) => ({ ...request, ...next() }) }],
  });
  const answered = result["2xx"];
  if (answered === 0 || result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${answered} answers, ${result.non2xx} refusals, ${result.errors} errors from ${url}`);
  }
  return { rate: answered / result.duration, p50: result.latency.p50, p99: result.latency.p99 };
}

/** The one in the middle, by rate. */
export function median(rounds: Figures[]): Figures {
  const sorted = [...rounds].sort((a, b) => a.rate - b.rate);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error("no rounds");
  return middle;
}
