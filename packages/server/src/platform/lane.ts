/** A few at a time, a few more waiting, and everybody else told at once to come back: for work that others must not wait for. */
import { Refusal } from "./refusal.ts";

export interface LaneBounds {
  atOnce: number;
  waiting: number;
}

/** Who has waited for so long is refused: its client is about to be told to come back anyway. */
const maxWaitMs = 1_500;

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
    try {
      return await work();
    } finally {
      // One turn later: what the work answered is serialised by then, and what came in meanwhile has had its turn.
      setImmediate(() => this.#next());
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.size >= this.#bounds.waiting) throw full();
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
  return new Refusal("unavailable", { detail: "too many calls of this kind wait", retryAfterSeconds: 2 });
}
