/** The keys that the service works with. They lie in the database only wrapped under the root key. */
import type { Clock } from "../platform/clock.ts";
import type { Random } from "../platform/random.ts";
import { Refusal } from "../platform/refusal.ts";
import type { Connection } from "../schema/tables.ts";
import { open, type RootKey, seal } from "./sealing.ts";
import { insertKey, listKeys } from "./store.ts";

export { generateRootKey, open, parseRootKey, type RootKey, seal } from "./sealing.ts";

/** What a key is for. One key never serves two purposes. */
const purposes = ["code_pepper", "name_digest", "attempt_seal", "idempotency_seal"] as const;
export type KeyPurpose = (typeof purposes)[number];

/** An installation of the first release has no such key, and does without what needs it. */
const laterPurposes: readonly KeyPurpose[] = ["idempotency_seal"];

export interface Key {
  kid: string;
  /** 32 bytes. */
  bytes: Buffer;
}

export interface Keyring {
  /** The key that new work uses. Refuses with `unavailable` when the installation is older than the purpose. */
  current(purpose: KeyPurpose): Key;
  /** The key that older work used, if it is still there. */
  find(purpose: KeyPurpose, kid: string): Key | undefined;
  /** Hides bytes under the current key of a purpose. They open only with the same context. */
  seal(purpose: KeyPurpose, context: string, plain: Buffer): Sealed;
  /** What `seal` hid. Throws when the key is gone, or the context or the bytes are others. */
  open(purpose: KeyPurpose, context: string, sealed: Sealed): Buffer;
}

/** Sealed bytes, base64url, and the key that opens them. */
export interface Sealed {
  sealed: string;
  kid: string;
}

/** The database's keys were wrapped under another root key. */
export class WrongRootKey extends Error {
  override readonly name = "WrongRootKey";
}

/** Makes one key for each purpose, in the unit of work that makes the installation. */
export async function createKeys(
  trx: Connection,
  companyId: string,
  rootKey: RootKey,
  { clock, random }: { clock: Clock; random: Random },
): Promise<void> {
  for (const purpose of purposes) {
    const kid = random.uuid();
    const wrapped = seal(rootKey, wrappingContext(companyId, purpose, kid), random.bytes(32), random);
    await insertKey(trx, companyId, { kid, purpose, wrapped }, clock.now());
  }
}

/** Unwraps every key. Throws `WrongRootKey` when the root key does not fit the database. */
export async function openKeyring(
  db: Connection,
  companyId: string,
  rootKey: RootKey,
  random: Random,
): Promise<Keyring> {
  const keys = new Map<string, Key>();
  const newest = new Map<string, Key>();
  for (const { kid, purpose, wrapped } of await listKeys(db, companyId)) {
    const key = { kid, bytes: unwrap(rootKey, wrappingContext(companyId, purpose, kid), wrapped) };
    keys.set(`${purpose}/${kid}`, key);
    newest.set(purpose, key);
  }
  for (const purpose of purposes) {
    if (!newest.has(purpose) && !laterPurposes.includes(purpose))
      throw new WrongRootKey(`the database has no key for ${purpose}`);
  }
  const current = (purpose: KeyPurpose) => {
    const key = newest.get(purpose);
    if (key === undefined) throw new Refusal("unavailable", { detail: `the database has no key for ${purpose}` });
    return key;
  };
  const find = (purpose: KeyPurpose, kid: string) => keys.get(`${purpose}/${kid}`);
  return {
    current,
    find,
    seal: (purpose, context, plain) => {
      const { kid, bytes } = current(purpose);
      return { sealed: seal(bytes, context, plain, random), kid };
    },
    open: (purpose, context, { sealed, kid }) => {
      const key = find(purpose, kid);
      if (key === undefined) throw new Error(`the ${purpose} key ${kid} is gone`);
      return open(key.bytes, context, sealed);
    },
  };
}

function unwrap(rootKey: RootKey, context: string, wrapped: string): Buffer {
  try {
    return open(rootKey, context, wrapped);
  } catch (error) {
    throw new WrongRootKey("the root key does not open the keys in the database", { cause: error });
  }
}

function wrappingContext(companyId: string, purpose: string, kid: string): string {
  return JSON.stringify(["keyring/v1", companyId, purpose, kid]);
}
