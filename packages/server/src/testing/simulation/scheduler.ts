/**
 * Time and order of a run. Whoever waits, for the database or for a while, waits here; one at a time goes on, and
 * the next one only once that one waits again. Nothing here takes real time.
 */
import type { Dice } from "./dice.ts";

interface Waiting {
  atMs: number;
  /** Decides between those whose time is the same. */
  tie: number;
  goOn(): unknown;
}

export class Scheduler {
  /** The true time, in milliseconds since the run began. No node knows it. */
  nowMs = 0;
  /** How many have gone on: a work that never ends is a bug, and is found by it. */
  steps = 0;
  #moment = 0;
  readonly #dice: Dice;
  readonly #waiting: Waiting[] = [];

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  /** A number that is higher than every one before: the order in which things happened. */
  moment(): number {
    return ++this.#moment;
  }

  after(delayMs: number, goOn: () => unknown): void {
    this.#waiting.push({ atMs: this.nowMs + delayMs, tie: this.#dice.word(), goOn });
  }

  sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.after(durationMs, resolve));
  }

  /** Lets everyone go on in turn until nobody waits any more. */
  async run(maxSteps = 100_000): Promise<void> {
    for (let next = this.#takeNext(); next !== undefined; next = this.#takeNext()) {
      this.nowMs = Math.max(this.nowMs, next.atMs);
      if (++this.steps > maxSteps) throw new Error("the run does not end");
      await next.goOn();
      // A tick that is asked for here comes once no promise is left that could still have its say.
      await new Promise<void>((resolve) => process.nextTick(resolve));
    }
  }

  #takeNext(): Waiting | undefined {
    let first = 0;
    for (const [place, { atMs, tie }] of this.#waiting.entries()) {
      const best = this.#waiting[first] as Waiting;
      if (atMs < best.atMs || (atMs === best.atMs && tie < best.tie)) first = place;
    }
    const last = this.#waiting.pop();
    const next = this.#waiting[first];
    if (next === undefined) return last;
    this.#waiting[first] = last as Waiting;
    return next;
  }
}
