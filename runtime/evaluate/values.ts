/** Numbers of tensors while a program is evaluated: exact integers in doubles or less, bigints where they are wider. */

/** Typed arrays an evaluation reads; integers in them are exact. */
export type Numbers = Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** The integers of a tensor, row-major: bigints only where one is beyond 2^53. */
export type Values = Numbers | readonly bigint[];

/** Doubles below this are exact integers, and so are their sums and products as long as those stay below it. */
export const EXACT = 2 ** 53;

/** A sum or product left what doubles hold exactly: the caller turns to bigints. */
export class TooWide extends Error {}

export const isWide = (values: Values): values is readonly bigint[] => Array.isArray(values);

/** @throws TooWide if the values are bigints */
export function narrow(values: Values): Numbers {
  if (isWide(values)) throw new TooWide();
  return values;
}

/** The largest magnitude of an entry; 0 for none. */
export function magnitude(values: Numbers): number {
  let [lo, hi] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (v > hi) hi = v;
    else if (v < lo) lo = v;
  }
  return Math.max(hi, -lo);
}

/** Bigints as the narrowest storage that is exact. */
export function fromBigints(values: readonly bigint[]): Values {
  const limit = BigInt(EXACT);
  return values.every((v) => v <= limit && v >= -limit) ? Float64Array.from(values, Number) : values;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, length) => n * length, 1);

export const toBigints = (values: Values): readonly bigint[] =>
  isWide(values) ? values : Array.from(values, (v) => BigInt(v));
