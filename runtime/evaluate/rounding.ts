/** `round` of many exact integers at once. */
import type { Rational } from '../../compiler/ir/tensor/program.ts';
import { EXACT, magnitude, TooWide } from './values.ts';

/**
 * floor(x * scale + 1/2) for every entry, in place.
 *
 * @param values integers below 2^53
 * @throws TooWide if doubles do not compute it exactly
 */
export function roundAll(values: Float64Array, { num, den }: Rational): Float64Array {
  if (num > BigInt(EXACT) || den > BigInt(2 ** 1000)) throw new TooWide();
  if ((den & (den - 1n)) === 0n && num === 1n) return dropBits(values, 1 / Number(den));
  if (magnitude(values) * Number(num) >= EXACT / 4 || Number(den) >= EXACT / 4) throw new TooWide();
  return divide(values, Number(num), Number(den));
}

/** By a power of two, which a double takes without a rounding. */
function dropBits(values: Float64Array, unit: number): Float64Array {
  for (let i = 0; i < values.length; i++) {
    const x = values[i] * unit;
    const below = Math.floor(x);
    // x - below is exact, which x + 1/2 would not always be.
    values[i] = x - below >= 0.5 ? below + 1 : below;
  }
  return values;
}

function divide(values: Float64Array, num: number, den: number): Float64Array {
  for (let i = 0; i < values.length; i++) {
    // floor((2 n + den) / (2 den)), the quotient corrected where the division was rounded.
    const top = 2 * values[i] * num + den;
    let quotient = Math.floor(top / (2 * den));
    const rest = top - quotient * 2 * den;
    if (rest < 0) quotient--;
    else if (rest >= 2 * den) quotient++;
    values[i] = quotient;
  }
  return values;
}
