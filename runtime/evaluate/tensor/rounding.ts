/** `round` of many exact integers at once. */
import type { Rational } from '../../../compiler/ir/tensor/program.ts';
import { shiftedDown, type ComputedIntegers } from '../../integers/arrays.ts';
import { inDoubles, magnitude } from '../values.ts';

/** floor(x * scale + 1/2) for every entry; undefined where doubles and words do not compute it exactly. */
export function rounded(values: ComputedIntegers, { num, den }: Rational): Float64Array | undefined {
  if (num > 2n ** 53n || den > 2n ** 1000n) return undefined;
  const isShift = num === 1n && (den & (den - 1n)) === 0n;
  if (values instanceof BigInt64Array && isShift && den >= 2n ** 12n)
    return halved(shiftedDown(values, den.toString(2).length - 2));
  const small = inDoubles(values);
  if (small === undefined) return undefined;
  if (isShift) return dropBits(Float64Array.from(small), 1 / Number(den));
  if (magnitude(small) * Number(num) >= 2 ** 51 || Number(den) >= 2 ** 51) return undefined;
  return divide(Float64Array.from(small), Number(num), Number(den));
}

/** floor((x + 1) / 2): what is left of rounding after all bits but one were cut off. */
function halved(values: Float64Array): Float64Array {
  for (let i = 0; i < values.length; i++) values[i] = Math.floor((values[i] + 1) / 2);
  return values;
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
