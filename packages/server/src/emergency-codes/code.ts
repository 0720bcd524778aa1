/**
 * An emergency code, from random bytes to the text a person reads aloud, and back.
 *
 * Everything here is pure: no clock, no database, no configuration.
 */
import type { CodeFormat } from "@sparekey/contract";
import type { Random } from "../platform/random.ts";
import { checkSymbol } from "./check-symbol.ts";

/** What the person types, without groups: symbols in their one spelling, check symbol included. */
export type PlainCode = string & { readonly plainCode: unique symbol };

/** Crockford's base 32: no I, L, O or U, so that nothing is misread or spells a word. */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const symbolValues = new Map([...alphabet].map((symbol, value) => [symbol, value]));

/** Lengths that a reader recognises, check symbol included; 8 to 10 digits are a numeric code. */
const symbolLengths = [11, 14];
const groupSize = 4;

export function generateCode(format: CodeFormat, random: Random): PlainCode {
  return format.alphabet === "digits" ? generateDigits(format.length, random) : generateSymbols(format.length, random);
}

/** Five bits of each byte: 256 is a multiple of 32, so no symbol is likelier than another. */
function generateSymbols(length: number, random: Random): PlainCode {
  const values = [...random.bytes(length)].map((byte) => byte & 31);
  return [...values, checkSymbol(values)].map((value) => alphabet[value]).join("") as PlainCode;
}

/** Throws away the bytes from 250 on: `% 10` over all 256 would make 0 to 5 likelier than 6 to 9. */
function generateDigits(length: number, random: Random): PlainCode {
  let digits = "";
  while (digits.length < length) {
    for (const byte of random.bytes(length)) {
      if (byte < 250 && digits.length < length) digits += byte % 10;
    }
  }
  return digits as PlainCode;
}

/**
 * Reads what a person typed, however they spelt it. Undefined is a slip of the hand: a length that no
 * code has, a strange symbol, or a wrong check symbol. It says nothing about the secret.
 */
export function readCode(typed: string): PlainCode | undefined {
  const text = typed
    .normalize("NFKC")
    .toUpperCase()
    .replace(/[\s\p{Dash}]/gu, "");
  if (/^[0-9]{8,10}$/.test(text)) return text as PlainCode;
  if (!symbolLengths.includes(text.length)) return undefined;
  const symbols = text.replace(/[IL]/g, "1").replace(/O/g, "0");
  const values: number[] = [];
  for (const symbol of symbols) {
    const value = symbolValues.get(symbol);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return checkSymbol(values.slice(0, -1)) === values.at(-1) ? (symbols as PlainCode) : undefined;
}

/** The code as it is shown: `7K3M-9QZX-4TP`. */
export function groupCode(code: PlainCode): string {
  return code.match(new RegExp(`.{1,${groupSize}}`, "g"))?.join("-") ?? code;
}

/** How many bits of chance a code holds, so that the digest can make up for what is missing. */
export function bitsOf(code: PlainCode): number {
  return symbolLengths.includes(code.length) ? 5 * (code.length - 1) : Math.floor(code.length * Math.log2(10));
}
