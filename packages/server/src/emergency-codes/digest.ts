/**
 * What is kept of a code, from which the code cannot be had: a keyed hash, then a slow salted one.
 *
 * Company, user and code id go into the keyed hash, so a row copied to another user verifies nothing,
 * and the pepper lies outside the database's reach, so a stolen database verifies nothing either.
 */
import { createHmac, pbkdf2, pbkdf2Sync, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { Key } from "../keyring/service.ts";
import type { Random } from "../platform/random.ts";
import { bitsOf, type PlainCode } from "./code.ts";

const algorithm = "pbkdf2-sha256";
const digestBytes = 32;
const saltBytes = 16;
const iterationsOf = { strong: 100, numeric: 10_000 };
/** From here on up, guessing is hopeless by the code's own strength and the hash may be quick. */
const strongBits = 50;
/** Below this count a call to the thread pool costs more than the work. */
const inlineIterations = 1_000;

/** Base64url text of 32 bytes. */
export type CodeDigest = string & { readonly codeDigest: unique symbol };

/** Everything about a stored digest but the digest. */
export interface DigestRecipe {
  /** Base64url. */
  salt: string;
  algorithm: string;
  iterations: number;
  pepperKid: string;
}

/** What a digest is bound to. */
export interface DigestBinding {
  companyId: string;
  userId: string;
  codeId: string;
}

const slowly = promisify(pbkdf2);

export function newRecipe(code: PlainCode, pepper: Key, random: Random): DigestRecipe {
  return {
    salt: random.bytes(saltBytes).toString("base64url"),
    algorithm,
    iterations: bitsOf(code) >= strongBits ? iterationsOf.strong : iterationsOf.numeric,
    pepperKid: pepper.kid,
  };
}

/** A recipe for the code of nobody: the same work as for a real one of the same form. */
export function dummyRecipe(code: PlainCode, pepper: Key): DigestRecipe {
  const strong = bitsOf(code) >= strongBits;
  return {
    salt: "",
    algorithm,
    iterations: strong ? iterationsOf.strong : iterationsOf.numeric,
    pepperKid: pepper.kid,
  };
}

export async function digestCode(
  code: PlainCode,
  binding: DigestBinding,
  recipe: DigestRecipe,
  pepper: Key,
): Promise<CodeDigest> {
  if (recipe.algorithm !== algorithm) throw new Error(`unknown digest algorithm ${recipe.algorithm}`);
  const keyed = createHmac("sha256", pepper.bytes).update(lengthPrefixed(binding, code)).digest();
  const salt = Buffer.from(recipe.salt, "base64url");
  const derived =
    recipe.iterations <= inlineIterations
      ? pbkdf2Sync(keyed, salt, recipe.iterations, digestBytes, "sha256")
      : await slowly(keyed, salt, recipe.iterations, digestBytes, "sha256");
  return derived.toString("base64url") as CodeDigest;
}

export function digestsEqual(left: CodeDigest, right: CodeDigest): boolean {
  const [a, b] = [Buffer.from(left, "base64url"), Buffer.from(right, "base64url")];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Each part behind its length, so that no two bindings give the same bytes. */
function lengthPrefixed({ companyId, userId, codeId }: DigestBinding, code: PlainCode): Buffer {
  const parts = ["eac/v1", companyId, userId, codeId, code].map((part) => Buffer.from(part));
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}
