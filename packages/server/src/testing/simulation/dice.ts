/** Every choice of a run, from one number: the same seed always falls the same way. */
import { hash } from "node:crypto";
import type { Random } from "../../platform/random.ts";

/** One stream of choices (sfc32). Streams of a seed do not disturb each other. */
export class Dice {
  #a: number;
  #b: number;
  #c: number;
  #count: number;

  constructor(seed: number, stream: string) {
    const digest = hash("sha256", `${stream}/${seed}`, "buffer");
    this.#a = digest.readInt32LE(0);
    this.#b = digest.readInt32LE(4);
    this.#c = digest.readInt32LE(8);
    this.#count = digest.readInt32LE(12);
  }

  /** 32 bits. */
  word(): number {
    const sum = (this.#a + this.#b + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** From 0 to less than 1. */
  fraction(): number {
    return this.word() / 2 ** 32;
  }

  between(from: number, to: number): number {
    return from + this.fraction() * (to - from);
  }

  /** A whole number from 0 to less than `count`. */
  below(count: number): number {
    return Math.floor(this.fraction() * count);
  }

  chance(share: number): boolean {
    return this.fraction() < share;
  }

  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new Error("there is nothing to pick from");
    return items[this.below(items.length)] as Item;
  }

  /** One of the names, each as likely as its weight says. */
  weighted<Name extends string>(weights: Readonly<Partial<Record<Name, number>>>): Name {
    const entries = Object.entries(weights) as [Name, number][];
    let left = this.fraction() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    throw new Error("there is nothing to pick from");
  }
}

/** What the core takes for chance. */
export function randomFrom(dice: Dice): Random {
  const bytes = (length: number) => {
    const buffer = Buffer.alloc(length);
    for (let place = 0; place < length; place++) buffer[place] = dice.word() & 0xff;
    return buffer;
  };
  const uuid = (first: Buffer) =>
    Buffer.concat([first, bytes(16 - first.length)])
      .toString("hex")
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  return {
    bytes,
    uuid: () => uuid(Buffer.alloc(0)),
    uuidInOrder: (epochMs) => {
      const time = Buffer.alloc(6);
      time.writeUIntBE(epochMs, 0, 6);
      return uuid(time);
    },
  };
}
