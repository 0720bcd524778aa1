/**
 * The flush that makes commits durable, beside the event loop instead of in it.
 *
 * SQLite can flush its log within each commit, and then the whole process waits for the disk. Here the commit only
 * writes, the flush runs on a thread, and meanwhile requests are read and the next transaction is filled. Nobody
 * is acknowledged before a flush that began after their commit has ended.
 */
import { closeSync, fdatasync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

const flushFile = promisify(fdatasync);

/** A database that no disk knows of, for work that is thrown away. */
const inMemory = ":memory:";

export class LogFlush {
  readonly #path: string;
  #file: number | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** `path` is the database's; its log lies beside it from the first commit on. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Resolves once everything that was committed by now is on disk. Those who ask while a flush runs share the next. */
  flush(): Promise<void> {
    if (this.#path === inMemory) return Promise.resolve();
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#start();
      });
    return this.#next;
  }

  /** To be called before the last connection closes, which removes the log. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #start(): Promise<void> {
    this.#file ??= this.#open();
    const flush = flushFile(this.#file).finally(() => {
      if (this.#running === flush) this.#running = undefined;
    });
    this.#running = flush;
    return flush;
  }

  /** The log's name is new as well, and has to be on disk with it. */
  #open(): number {
    const directory = openSync(dirname(this.#path), "r");
    fsyncSync(directory);
    closeSync(directory);
    return openSync(`${this.#path}-wal`, "r+");
  }
}
