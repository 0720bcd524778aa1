/** A few at a time, a few more waiting, and everybody else told to come back: for work that others must not wait for. */
import { setTimeout as delay } from "node:timers/promises";
import { Refusal } from "./refusal.ts";

export interface LaneBounds {
  atOnce: number;
  waiting: number;
  /** Whether a place stays empty for as long as it was taken: where work keeps the thread, others have it half of the time. */
  rests?: boolean;
}

/** Who has waited for so long is refused: its client is about to be told to come back anyway. */
const maxWaitMs = 1_500;
/** A refusal is held back for so long: a client that comes again at once would keep the process from better things. */
const refuseAfterMs = 500;

export class Lane {
  readonly #bounds: LaneBounds;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(bounds: LaneBounds) {
    this.#bounds = bounds;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Refuses with `unavailable` when too many wait already. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.#bounds.atOnce) await this.#turn();
    else this.#running++;
    const begunMs = performance.now();
    try {
      return await work();
    } finally {
      const restMs = this.#bounds.rests === true ? performance.now() - begunMs : 0;
      // At the soonest a turn later: what the work answered is serialised by then, and what came in has had its turn.
      setTimeout(() => this.#next(), restMs);
    }
  }

  async #turn(): Promise<void> {
    if (this.#waiting.size >= this.#bounds.waiting) {
      await delay(refuseAfterMs);
      throw full();
    }
    return new Promise((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(begin);
        reject(full());
      }, maxWaitMs);
      this.#waiting.add(begin);
    });
  }

  /** Hands the place on, so that nobody who comes in between takes it. */
  #next() {
    const [begin] = this.#waiting;
    if (begin === undefined) {
      this.#running--;
      return;
    }
    this.#waiting.delete(begin);
    begin();
  }
}

function full(): Refusal {
  return new Refusal("unavailable", {
    detail: "too many calls of this kind wait",
    retryAfterSeconds: 2,
    inFloods: true,
  });
}
