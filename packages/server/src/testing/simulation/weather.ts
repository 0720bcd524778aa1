/** How badly a run goes: how long answers take, how often and how they fail, how far clocks are apart. */
import type { Dice } from "./dice.ts";

/** What becomes of one call to the database. */
export type Fate =
  /** It is done and answered. */
  | "done"
  /** It fails, and nothing was done. */
  | "refused"
  /** The connection ends in the middle of its unit of work. */
  | "broken"
  /** It is done, and the answer is lost. */
  | "lost"
  /** It fails for its caller, and is done later. */
  | "late";

export interface Weather {
  /** No faults, until the next storm. */
  calm: boolean;
  readonly latency: keyof typeof latencies;
  readonly faults: keyof typeof faultShares;
  /** How far the time of a node may be from the true one. */
  readonly skewMs: number;
  /** How much faster or slower a node's monotonic clock may run. */
  readonly drift: number;
  readonly crashes: boolean;
  readonly outages: boolean;
}

/** Shares of all answers, and how long they take at most. */
const latencies = {
  even: [[1, 4]],
  gusty: [
    [0.8, 3],
    [0.15, 80],
    [0.045, 900],
    [0.005, 6_000],
  ],
  slow: [
    [0.6, 20],
    [0.3, 500],
    [0.097, 2_500],
    [0.003, 2_400_000],
  ],
} as const;

const faultShares = { none: 0, some: 0.02, many: 0.1 };

export function weatherOf(dice: Dice): Weather {
  return {
    calm: false,
    latency: dice.weighted({ even: 2, gusty: 5, slow: 3 }),
    faults: dice.weighted({ none: 3, some: 5, many: 2 }),
    skewMs: dice.pick([0, 200, 200, 10_800_000]),
    drift: dice.pick([0, 0.02]),
    crashes: dice.chance(0.5),
    outages: dice.chance(0.5),
  };
}

export function latencyMs({ latency, calm }: Weather, dice: Dice): number {
  const shares = calm ? latencies.even : latencies[latency];
  let left = dice.fraction();
  for (const [share, mostMs] of shares) {
    left -= share;
    if (left < 0) return dice.between(0, mostMs);
  }
  return 0;
}

export function fateOf({ faults, calm }: Weather, writes: boolean, dice: Dice): Fate {
  if (calm || !dice.chance(faultShares[faults])) return "done";
  return writes ? dice.weighted({ refused: 2, broken: 2, lost: 3, late: 1 }) : "refused";
}
