/**
 * The keys that the service works with. They lie in the database only wrapped under the root key, and come and go
 * while the service runs: `rotation-service.ts` changes them, and here a node follows.
 */
import type { Clock, Instant } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import type { Log } from "../platform/log.ts";
import type { Random } from "../platform/random.ts";
import { Refusal } from "../platform/refusal.ts";
import type { RevisionService } from "../revision/service.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import { isInUse, Keys, type KnownKey } from "./keys.ts";
import { keyPurposes } from "./purposes.ts";
import type { RootKey } from "./sealing.ts";
import { insertKey, listKeys, type WrappedKey } from "./store.ts";
import { tryUnwrap, unwrap, WrongRootKey, wrap } from "./wrapping.ts";

export type { Key, Keys } from "./keys.ts";
export { type KeyPurpose, keyPurposes } from "./purposes.ts";
export { generateRootKey, open, parseRootKey, type RootKey, seal } from "./sealing.ts";
export { WrongRootKey } from "./wrapping.ts";

export interface Keyring {
  /** The keys as they are now on every node. Throws `DatabaseUnavailable` when the database does not tell. */
  fresh(): Promise<Keys>;
}

interface Dependencies {
  db: Database<Tables>;
  companyId: string;
  clock: Clock;
  random: Random;
  revision: RevisionService;
  log: Log;
  rootKey: RootKey;
  /** Asks where the root key comes from once more; what it answers is tried in order. */
  readRootKeys: () => Promise<readonly RootKey[]>;
}

const recoveryPatienceMs = 500;

export class KeyringService implements Keyring {
  readonly #with: Dependencies;
  #rootKey: RootKey;
  /** Every key that was ever opened here, so that a new root key takes none of them away from a running node. */
  readonly #opened = new Map<string, OpenedKey>();
  #loaded: { revision: number; keys: Keys } | undefined;
  #loading: { revision: number; keys: Promise<Keys> } | undefined;
  /** Keys in the database that the root key does not open. */
  #closed: ClosedKey[] = [];

  private constructor(dependencies: Dependencies) {
    this.#with = dependencies;
    this.#rootKey = dependencies.rootKey;
  }

  /** Throws `WrongRootKey` when the root key does not fit the database, or a purpose has no key. */
  static async open(dependencies: Dependencies): Promise<KeyringService> {
    const { db, companyId, rootKey } = dependencies;
    const rows = await listKeys(db.read, companyId);
    checkRootKey(rootKey, companyId, rows);
    for (const purpose of keyPurposes) {
      if (!rows.some((row) => row.purpose === purpose)) {
        throw new WrongRootKey(`the database has no key for ${purpose}`);
      }
    }
    const keyring = new KeyringService(dependencies);
    await keyring.fresh();
    return keyring;
  }

  async fresh(): Promise<Keys> {
    const revision = await this.#with.revision.current();
    if (this.#loaded?.revision === revision) return this.#loaded.keys;
    if (this.#loading?.revision !== revision) this.#loading = { revision, keys: this.#load(revision) };
    return this.#loading.keys;
  }

  /** Refuses with `unavailable` while there is a key to be accepted that this node cannot open. */
  async checkReady(): Promise<void> {
    await this.fresh();
    const now = this.#with.clock.now();
    const missing = this.#closed.find(({ known, retiredAt }) => !known && (retiredAt === null || retiredAt > now));
    if (missing === undefined) return;
    const detail = `the key ${missing.kid} is under a root key that this node does not have`;
    throw new Refusal("unavailable", { detail, retryAfterSeconds: 5 });
  }

  /** Looks for the root key again if the one in memory does not open all that is in the database. */
  async recover(): Promise<void> {
    if (this.#closed.length === 0) return;
    const { db, companyId, readRootKeys, log } = this.#with;
    const rows = await listKeys(db.read, companyId);
    const fitting = (await readRootKeys()).find((rootKey) => fits(rootKey, companyId, rows));
    if (fitting === undefined) return;
    this.#rootKey = fitting;
    // Whoever asks next loads, under the root key that fits.
    this.#loaded = undefined;
    this.#loading = undefined;
    log.info("the root key was replaced, and this node has the new one");
  }

  async #load(revision: number): Promise<Keys> {
    const { db, companyId, clock, random } = this.#with;
    try {
      // Read after the revision, so never older than it.
      const rows = await listKeys(db.read, companyId);
      const known = this.#openAll(rows);
      const keys = new Keys(this.#closed.length === 0 ? known : await this.#openAgain(rows), { clock, random });
      if (this.#loading?.revision === revision) this.#loaded = { revision, keys };
      return keys;
    } finally {
      if (this.#loading?.revision === revision) this.#loading = undefined;
    }
  }

  #openAll(rows: WrappedKey[]): KnownKey[] {
    const closed: ClosedKey[] = [];
    const known = rows.map((row): KnownKey => {
      const { kid, purpose, wrapped, activeAt, retiredAt } = row;
      const before = this.#opened.get(kid);
      const same = before?.purpose === purpose ? before : undefined;
      if (same?.wrapped === wrapped) return { kid, purpose, bytes: same.bytes, activeAt, retiredAt };
      const bytes = tryUnwrap(this.#rootKey, { companyId: this.#with.companyId, purpose, kid }, wrapped);
      if (bytes === undefined) closed.push({ kid, retiredAt, known: same !== undefined });
      else this.#opened.set(kid, { purpose, wrapped, bytes });
      return { kid, purpose, bytes: bytes ?? same?.bytes, activeAt, retiredAt };
    });
    this.#closed = closed;
    return known;
  }

  /**
   * Waits for the root key, but a moment at most, since it may come from a command that takes its time. Without it
   * what this node has opened goes on, and what it has not is refused.
   */
  async #openAgain(rows: WrappedKey[]): Promise<KnownKey[]> {
    const { clock, log } = this.#with;
    const recovery = this.recover().catch((error: unknown) =>
      log.error({ err: error }, "the root key cannot be read again"),
    );
    await Promise.race([recovery, clock.sleep(recoveryPatienceMs)]);
    const known = this.#openAll(rows);
    if (this.#closed.length > 0) this.#reportClosed();
    return known;
  }

  #reportClosed() {
    const { log } = this.#with;
    const unknown = this.#closed.filter(({ known }) => !known).map(({ kid }) => kid);
    if (unknown.length > 0) log.error({ kids: unknown }, "keys are under a root key that this node does not have");
    else log.warn("the root key was replaced: put the new one where this node's comes from, before it starts again");
  }
}

interface OpenedKey {
  purpose: string;
  wrapped: string;
  bytes: Buffer;
}

interface ClosedKey {
  kid: string;
  retiredAt: WrappedKey["retiredAt"];
  /** It was opened before it was wrapped anew. */
  known: boolean;
}

/** Makes one key for each purpose, in the unit of work that makes the installation. */
export async function createKeys(
  trx: Connection,
  companyId: string,
  rootKey: RootKey,
  { clock, random }: { clock: Clock; random: Random },
): Promise<void> {
  const now = clock.now();
  for (const purpose of keyPurposes) {
    const kid = random.uuid();
    const wrapped = wrap(rootKey, { companyId, purpose, kid }, random.bytes(32), random);
    await insertKey(trx, companyId, { kid, purpose, wrapped, activeAt: now }, now);
  }
}

/** Whether the root key is the one that the database's keys are wrapped under. */
export async function rootKeyFits(db: Connection, companyId: string, rootKey: RootKey): Promise<boolean> {
  return fits(rootKey, companyId, await listKeys(db, companyId));
}

/** A key as it may be shown: everything but the key. */
export interface KeyState {
  purpose: string;
  kid: string;
  /** `coming` until it is used, `current` while it is the one for new work, then `older`, and `retired` at its end. */
  state: "coming" | "current" | "older" | "retired";
  activeAt: Instant;
  retiredAt: Instant | null;
}

/** By purpose, oldest first. */
export async function listKeyStates(db: Connection, companyId: string, now: Instant): Promise<KeyState[]> {
  const rows = (await listKeys(db, companyId)).map(({ wrapped: _, ...key }) => key);
  const current = new Map(rows.filter((key) => isInUse(key, now)).map(({ purpose, kid }) => [purpose, kid]));
  const stateOf = (key: (typeof rows)[number]) => {
    if (key.activeAt > now) return "coming";
    if (!isInUse(key, now)) return "retired";
    return current.get(key.purpose) === key.kid ? "current" : "older";
  };
  const states = rows.map((key): KeyState => ({ ...key, state: stateOf(key) }));
  return states.toSorted((a, b) => a.purpose.localeCompare(b.purpose));
}

function fits(rootKey: RootKey, companyId: string, rows: readonly WrappedKey[]): boolean {
  return rows.every(({ purpose, kid, wrapped }) => tryUnwrap(rootKey, { companyId, purpose, kid }, wrapped));
}

function checkRootKey(rootKey: RootKey, companyId: string, rows: readonly WrappedKey[]) {
  for (const { purpose, kid, wrapped } of rows) unwrap(rootKey, { companyId, purpose, kid }, wrapped);
}
