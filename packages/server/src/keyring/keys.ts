/** The keys of one revision: which of them is for new work, and what is still accepted of the older ones. */
import type { Clock, Instant } from "../platform/clock.ts";
import type { Random } from "../platform/random.ts";
import { Refusal } from "../platform/refusal.ts";
import type { KeyPurpose } from "./purposes.ts";
import { open, seal } from "./sealing.ts";

export interface Key {
  kid: string;
  /** 32 bytes. */
  bytes: Buffer;
}

/** Sealed bytes, base64url, and the key that opens them. */
export interface Sealed {
  sealed: string;
  kid: string;
}

export interface KnownKey {
  kid: string;
  purpose: string;
  /** Undefined when it was wrapped under a root key that this node does not have. */
  bytes: Buffer | undefined;
  activeAt: Instant;
  retiredAt: Instant | null;
}

/**
 * What `Keyring.fresh` answers. It is good for the call that asked for it, so nobody keeps it.
 *
 * Beginning and end of a key are instants, looked at whenever a key is asked for: they hold on every node at the
 * same moment, and no node has to be told when they come.
 */
export class Keys {
  /** Newest first. */
  readonly #known: readonly KnownKey[];
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(known: readonly KnownKey[], { clock, random }: { clock: Clock; random: Random }) {
    this.#known = known.toSorted((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1));
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * The key that new work uses. Refuses with `unavailable` when this node cannot open that one: an older key in
   * its place may be the one that was given up.
   */
  current(purpose: KeyPurpose): Key {
    const now = this.#clock.now();
    const newest = this.#known.find((key) => key.purpose === purpose && isInUse(key, now));
    if (newest?.bytes !== undefined) return { kid: newest.kid, bytes: newest.bytes };
    throw new Refusal("unavailable", { detail: `no ${purpose} key is in use that this node can open` });
  }

  /** The key that older work used; undefined from the instant of its retirement on. */
  find(purpose: KeyPurpose, kid: string): Key | undefined {
    const key = this.#get(purpose, kid);
    if (key?.bytes === undefined || hasEnded(key, this.#clock.now())) return undefined;
    return { kid, bytes: key.bytes };
  }

  /** When the key ends or ended; null for one that is in use, and for one that never was. */
  retiredAt(purpose: KeyPurpose, kid: string): Instant | null {
    return this.#get(purpose, kid)?.retiredAt ?? null;
  }

  /** Tells a key that is no longer accepted from one that this node does not have. */
  isRetired(purpose: KeyPurpose, kid: string): boolean {
    const key = this.#get(purpose, kid);
    return key !== undefined && hasEnded(key, this.#clock.now());
  }

  /** Hides bytes under the current key of a purpose. They open only with the same context. */
  seal(purpose: KeyPurpose, context: string, plain: Buffer): Sealed {
    const { kid, bytes } = this.current(purpose);
    return { sealed: seal(bytes, context, plain, this.#random), kid };
  }

  /**
   * What `seal` hid; undefined once its key is retired. Throws when this node does not have the key, or the context
   * or the bytes are others.
   */
  open(purpose: KeyPurpose, context: string, { sealed, kid }: Sealed): Buffer | undefined {
    const key = this.find(purpose, kid);
    if (key !== undefined) return open(key.bytes, context, sealed);
    if (this.isRetired(purpose, kid)) return undefined;
    throw new Refusal("unavailable", { detail: `the ${purpose} key ${kid} is gone` });
  }

  #get(purpose: KeyPurpose, kid: string): KnownKey | undefined {
    return this.#known.find((key) => key.kid === kid && key.purpose === purpose);
  }
}

/** Two keys that begin at the same instant need an order that every node agrees on. */
function placeOf({ activeAt, kid }: KnownKey): string {
  return `${activeAt} ${kid}`;
}

export function isInUse(key: Pick<KnownKey, "activeAt" | "retiredAt">, now: Instant): boolean {
  return key.activeAt <= now && !hasEnded(key, now);
}

function hasEnded({ retiredAt }: Pick<KnownKey, "retiredAt">, now: Instant): boolean {
  return retiredAt !== null && retiredAt <= now;
}
