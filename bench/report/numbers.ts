/** Numbers as the report shows them. */
import type { Spread } from "../statistics.ts";

export const whole = (value: number) => (Number.isFinite(value) ? Math.round(value).toLocaleString("en") : "–");

/** Three digits that count: `0.312`, `3.12`, `31.2`, `312`. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3));
}

export const range = ({ min, max }: Spread) => (Number.isFinite(min + max) ? `${short(min)}–${short(max)}` : "–");

export const spread = (all: Spread) => `${short(all.median)} (${range(all)})`;

/** `10^6`, or the number where it is no power of ten. */
export function power(value: number): string {
  const exponent = Math.log10(value);
  return Number.isInteger(exponent) && exponent >= 4 ? `10^${exponent}` : String(value);
}
