/** Numbers of tensors while a program is evaluated: exact integers in doubles or less, bigints where they are wider. */
import type { Range } from '../../compiler/ir/tensor/program.ts';
import { MOST_DOUBLE, outside, toDoubles } from '../integers/arrays.ts';

/** Typed arrays an evaluation reads; integers in them are exact. */
export type Numbers = Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** The integers of a tensor, row-major; bigints only where its range goes beyond 2^53. */
export type Values = Numbers | BigInt64Array | readonly bigint[];

/** What is computed with: bigints only where an entry is beyond 2^53. */
export type Working = Numbers | readonly bigint[];

/** Doubles below this are exact integers, and so are their sums and products as long as those stay below it. */
export const EXACT = 2 ** 53;

/** A sum or product left what doubles hold exactly: the caller turns to bigints. */
export class TooWide extends Error {}

/** Whether the entries are bigints. */
export const isWide = (values: Values): values is BigInt64Array | readonly bigint[] =>
  Array.isArray(values) || values instanceof BigInt64Array;

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

const DOUBLES: Range = { lo: -MOST_DOUBLE, hi: MOST_DOUBLE };

/** Integers as what is computed with. */
export function workingOf(values: Values): Working {
  if (!isWide(values)) return values;
  if (outside(DOUBLES, values as BigInt64Array | bigint[]) >= 0) return Array.from<bigint>(values);
  return values instanceof BigInt64Array ? toDoubles(values) : Float64Array.from(values, Number);
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, length) => n * length, 1);

export const toBigints = (values: Working): readonly bigint[] =>
  isWide(values) ? values : Array.from(values, (v) => BigInt(v));
