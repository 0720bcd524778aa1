/**
 * The check symbol: it catches every single wrong symbol and every swap of two different symbols.
 *
 * Symbols are elements of GF(32), built on x^5 + x^2 + 1 with α = 2, and the check symbol is the sum of
 * α^i·d_i for i = 1..n. The weights start at α^1 because the check symbol's own weight is α^0: were they
 * to start at α^0, swapping it with the first symbol would go unseen.
 */
const reduction = 0b100101;

function multiplyByAlpha(element: number): number {
  const shifted = element << 1;
  return shifted >= 32 ? shifted ^ reduction : shifted;
}

/** The check symbol of symbols given as numbers 0..31, itself 0..31. */
export function checkSymbol(symbols: readonly number[]): number {
  // Horner's rule from the right: ((d_n·α + d_(n-1))·α + …)·α.
  return symbols.reduceRight((sum, symbol) => multiplyByAlpha(sum ^ symbol), 0);
}
