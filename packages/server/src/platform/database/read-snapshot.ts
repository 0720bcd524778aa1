import type { DatabaseSync } from "node:sqlite";

/**
 * One read transaction for all reads of a turn of the event loop: to begin one takes locks, which cost more than
 * a lookup. It ends before each commit, so that nobody reads the state from before a write that was acknowledged,
 * and so that the log can be written back.
 */
export class ReadSnapshot {
  readonly #database: DatabaseSync;
  #open = false;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  begin(): void {
    if (this.#open) return;
    this.#database.exec("BEGIN");
    this.#open = true;
    setImmediate(() => this.end());
  }

  end(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#database.isOpen && this.#database.isTransaction) this.#database.exec("COMMIT");
  }
}
