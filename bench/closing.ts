/** What was started and has to be ended, the latest first, however the run ends. */
export class Closing {
  readonly #steps: (() => unknown)[] = [];

  add(step: () => unknown) {
    this.#steps.push(step);
  }

  /** One step that fails must not keep the others from being done. */
  async run() {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        console.error(error);
      }
    }
  }
}
