/** Numbers of tensors as callers of an evaluation give and get them. */
import type { Range } from '../../compiler/ir/tensor/program.ts';
import { MAX_DOUBLE, outside, toDoubles, type ComputedIntegers } from '../integers/arrays.ts';

/** Typed arrays that doubles hold: of reals, or of integers. */
export type Numbers = Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** The integers of a tensor, row-major; bigints only where its range goes beyond 2^53. */
export type Values = Numbers | BigInt64Array | readonly bigint[];

/** Whether the entries are bigints. */
export const isWide = (values: Values): values is BigInt64Array | readonly bigint[] =>
  Array.isArray(values) || values instanceof BigInt64Array;

/** The entries of an index, or of a table's argument. */
export function narrow(values: Values): Numbers {
  if (isWide(values)) throw new Error('internal error: an index beyond 2^53');
  return values;
}

/** The largest magnitude of an entry; 0 for none. */
export function magnitude(values: Numbers): number {
  if (values instanceof Float64Array) return magnitudeOfDoubles(values);
  let [lo, hi] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (v > hi) hi = v;
    else if (v < lo) lo = v;
  }
  return Math.max(hi, -lo);
}

/** By itself, for the speed of a loop that sees one kind of array. */
function magnitudeOfDoubles(values: Float64Array): number {
  let [lo, hi] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (v > hi) hi = v;
    else if (v < lo) lo = v;
  }
  return Math.max(hi, -lo);
}

const DOUBLES: Range = { lo: -MAX_DOUBLE, hi: MAX_DOUBLE };

/** Integers as doubles if they all are exact as such. */
export function inDoubles(values: Values): Numbers | undefined {
  if (!isWide(values)) return values;
  if (outside(DOUBLES, values as ComputedIntegers) >= 0) return undefined;
  return values instanceof BigInt64Array ? toDoubles(values) : Float64Array.from(values, Number);
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, length) => n * length, 1);
