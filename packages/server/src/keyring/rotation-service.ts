/**
 * Changes the keyring beside any number of nodes that work with it.
 *
 * A new key lies in the database before it is used, for longer than any node's lease: first every node knows it,
 * then it is used, then the old one ends. The last two are instants that were written down with the key, so no
 * node has to be told anything, and a command that dies half way has either done all of it or nothing.
 */
import type { AuditService } from "../audit/service.ts";
import { addMs, type Clock, type Instant } from "../platform/clock.ts";
import type { Database } from "../platform/database/database.ts";
import type { Random } from "../platform/random.ts";
import { commandCall } from "../principal.ts";
import { leaseMs, type RevisionService } from "../revision/service.ts";
import type { Connection, Tables } from "../schema/tables.ts";
import { defaultOverlapMs, type KeyPurpose, keyPurposes } from "./purposes.ts";
import type { RootKey } from "./sealing.ts";
import { insertKey, listKeys, retireOtherKeys, rewrapKey } from "./store.ts";
import { unwrap, WrongRootKey, wrap } from "./wrapping.ts";

/** From a key's making to its use: a lease, and time for the commit and for clocks that differ a little. */
const announcedMs = leaseMs + 1_000;

interface Dependencies {
  db: Database<Tables>;
  companyId: string;
  clock: Clock;
  random: Random;
  revision: RevisionService;
  audit: AuditService;
}

/** One purpose's change of keys. */
export interface Rotation {
  purpose: KeyPurpose;
  newKid: string;
  activeAt: Instant;
  /** The keys whose end was set by this, and that end. */
  oldKids: string[];
  retiredAt: Instant;
}

export interface RotationRequest {
  purposes: readonly KeyPurpose[];
  /** For all of them; undefined for each purpose's own. */
  overlapMs: number | undefined;
}

export class RotationService {
  readonly #with: Dependencies;

  constructor(dependencies: Dependencies) {
    this.#with = dependencies;
  }

  /** Every node knows the new keys when this is done. Throws `WrongRootKey`. */
  async rotate(rootKey: RootKey, { purposes, overlapMs }: RotationRequest): Promise<Rotation[]> {
    const { db, clock, revision } = this.#with;
    const rotations = await db.write(async (trx) => {
      await this.#claim(trx, rootKey);
      const now = clock.now();
      const done: Rotation[] = [];
      for (const purpose of purposes) {
        const retiredAt = addMs(now, announcedMs + (overlapMs ?? defaultOverlapMs[purpose]));
        done.push(await this.#rotateOne(trx, rootKey, { purpose, now, retiredAt }));
      }
      return done;
    });
    await revision.settle();
    return rotations;
  }

  /**
   * Gives a purpose that an earlier version did not have its first key, however many nodes start at once.
   *
   * Only such a purpose: where a key was that others depend on, a new one would hide that it is gone.
   */
  async addMissingKeys(rootKey: RootKey): Promise<void> {
    const { db, companyId, clock } = this.#with;
    const missingIn = (rows: { purpose: string }[]) => added.filter((one) => !rows.some((row) => row.purpose === one));
    if (missingIn(await listKeys(db.read, companyId)).length === 0) return;
    await db.write(async (trx) => {
      const missing = missingIn(await this.#claim(trx, rootKey));
      const now = clock.now();
      for (const purpose of missing) await this.#addKey(trx, rootKey, { purpose, now, activeAt: now });
    });
  }

  /** Wraps every key under another root key, all or none; answers how many. Throws `WrongRootKey`. */
  async replaceRootKey(rootKey: RootKey, newRootKey: RootKey): Promise<number> {
    const { db, companyId, random, audit, revision } = this.#with;
    const count = await db.write(async (trx) => {
      const rows = await this.#claim(trx, rootKey);
      for (const { purpose, kid, wrapped } of rows) {
        const place = { companyId, purpose, kid };
        const rewrapped = wrap(newRootKey, place, unwrap(rootKey, place, wrapped), random);
        if (!(await rewrapKey(trx, companyId, { kid, wrapped, rewrapped }))) throw new Error(`key ${kid} has changed`);
      }
      await audit.record(trx, commandCall, { action: "root_key.replaced", details: { keys: rows.length } });
      return rows.length;
    });
    await revision.settle();
    return count;
  }

  /**
   * Makes every other change of keys wait until this one is committed, and answers the keys as they then are.
   *
   * Counting the revision comes first, because it is one row that all of them write: what is read after it is
   * what the change before has left, and no key can come in under a root key that was just replaced.
   */
  async #claim(trx: Connection, rootKey: RootKey) {
    const { companyId, revision } = this.#with;
    await revision.raise(trx);
    const rows = await listKeys(trx, companyId);
    if (rows.length === 0) throw new WrongRootKey("the database has no keys");
    for (const { purpose, kid, wrapped } of rows) unwrap(rootKey, { companyId, purpose, kid }, wrapped);
    return rows;
  }

  async #rotateOne(
    trx: Connection,
    rootKey: RootKey,
    { purpose, now, retiredAt }: { purpose: KeyPurpose; now: Instant; retiredAt: Instant },
  ): Promise<Rotation> {
    const activeAt = addMs(now, announcedMs);
    const newKid = await this.#insert(trx, rootKey, { purpose, now, activeAt });
    const oldKids = await retireOtherKeys(trx, this.#with.companyId, { purpose, newKid, retiredAt });
    const details = { purpose, newKid, activeAt, oldKids, retiredAt };
    await this.#with.audit.record(trx, commandCall, { action: "key.rotated", details });
    return details;
  }

  async #addKey(
    trx: Connection,
    rootKey: RootKey,
    { purpose, now, activeAt }: { purpose: KeyPurpose; now: Instant; activeAt: Instant },
  ): Promise<void> {
    const newKid = await this.#insert(trx, rootKey, { purpose, now, activeAt });
    const details = { purpose, newKid, activeAt, oldKids: [], retiredAt: null };
    await this.#with.audit.record(trx, commandCall, { action: "key.rotated", details });
  }

  async #insert(
    trx: Connection,
    rootKey: RootKey,
    { purpose, now, activeAt }: { purpose: KeyPurpose; now: Instant; activeAt: Instant },
  ): Promise<string> {
    const { companyId, random } = this.#with;
    const kid = random.uuid();
    const wrapped = wrap(rootKey, { companyId, purpose, kid }, random.bytes(32), random);
    await insertKey(trx, companyId, { kid, purpose, wrapped, activeAt }, now);
    return kid;
  }
}

/** Purposes that came after the first release. */
const added: readonly KeyPurpose[] = keyPurposes.filter((purpose) => purpose === "idempotency_seal");
