/** How a key lies in the database: sealed under the root key, bound to its company, its purpose and its name. */
import type { Random } from "../platform/random.ts";
import { open, type RootKey, seal } from "./sealing.ts";

/** What a wrapping is bound to: a key that was moved to another row does not open. */
interface Place {
  companyId: string;
  purpose: string;
  kid: string;
}

/** The database's keys were wrapped under another root key. */
export class WrongRootKey extends Error {
  override readonly name = "WrongRootKey";
}

export function wrap(rootKey: RootKey, place: Place, bytes: Buffer, random: Random): string {
  return seal(rootKey, contextOf(place), bytes, random);
}

/** Throws `WrongRootKey` when the root key does not fit, or the key lies in another place than its own. */
export function unwrap(rootKey: RootKey, place: Place, wrapped: string): Buffer {
  try {
    return open(rootKey, contextOf(place), wrapped);
  } catch (error) {
    throw new WrongRootKey("the root key does not open the keys in the database", { cause: error });
  }
}

/** The same, for who can go on without the key. */
export function tryUnwrap(rootKey: RootKey, place: Place, wrapped: string): Buffer | undefined {
  try {
    return unwrap(rootKey, place, wrapped);
  } catch {
    return undefined;
  }
}

function contextOf({ companyId, purpose, kid }: Place): string {
  return JSON.stringify(["keyring/v1", companyId, purpose, kid]);
}
