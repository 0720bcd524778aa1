/** What came back: how many answers in what time, and everything that was not what was asked for. */
import { quantile } from "../statistics.ts";

/** A request as it goes over the wire, and what a right answer holds: a wrong answer is not a fast one. */
export interface Exchange {
  request: string;
  expected: string;
}

export interface Latency {
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
}

export class Tally {
  /** Answers of the measured time, milliseconds each. */
  readonly #latenciesMs: number[] = [];
  /** How often what went wrong, such as `503` or `lost`. */
  readonly failures: Record<string, number> = {};

  count(latencyMs: number) {
    this.#latenciesMs.push(latencyMs);
  }

  check(answer: { status: number; body: string } | undefined, { expected }: Exchange): boolean {
    if (answer?.status === 200 && answer.body.includes(expected)) return true;
    const name = answer === undefined ? "lost" : `${answer.status === 200 ? "wrong " : ""}${answer.status}`;
    this.failures[name] = (this.failures[name] ?? 0) + 1;
    return false;
  }

  get answers(): number {
    return this.#latenciesMs.length;
  }

  latency(): Latency {
    const sorted = Float64Array.from(this.#latenciesMs).sort();
    return {
      p50: quantile(sorted, 0.5),
      p90: quantile(sorted, 0.9),
      p99: quantile(sorted, 0.99),
      p999: quantile(sorted, 0.999),
      max: sorted.at(-1) ?? Number.NaN,
    };
  }
}
