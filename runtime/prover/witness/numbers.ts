/** Exact integers as the prover computes with them, and sums of them that doubles alone would not hold. */
import type { Range } from '../../../compiler/ir/tensor/program.ts';
import { allocate, rangeBits, setEntry, type IntegerArray } from '../../protocol/statement/integers.ts';

/** Integers within 16 and 32 bits, doubles within 53, 64-bit integers, or bigints: the narrowest for a range. */
export type Numbers = SmallNumbers | BigInt64Array | bigint[];

/** What doubles hold exactly. */
export type SmallNumbers = Int16Array | Int32Array | Float64Array;

/** Magnitudes below this are exact in doubles. */
export const MOST_DOUBLE = 2n ** 53n;

const WORD = 2 ** 32;

export const fitsDouble = ({ lo, hi }: Range): boolean => lo > -MOST_DOUBLE && hi < MOST_DOUBLE;

export const magnitude = ({ lo, hi }: Range): bigint => (hi > -lo ? hi : -lo);

export const isSmall = (v: Numbers): v is SmallNumbers => !Array.isArray(v) && !(v instanceof BigInt64Array);

/** Zeros in the storage for a range. */
export function makeNumbers(range: Range, length: number): Numbers {
  return rangeBits(range) > 32 && fitsDouble(range) ? new Float64Array(length) : allocate(range, length);
}

/** In the storage for a range, which the values have to keep; they may be the same array. */
export function narrowed(v: Numbers, range: Range): Numbers {
  const out = makeNumbers(range, 0);
  if (out.constructor === v.constructor) return v;
  if (!isSmall(out)) return out instanceof BigInt64Array ? BigInt64Array.from(v, BigInt) : Array.from(v, BigInt);
  // Conversions between typed arrays are quick, where mapping each entry is not.
  const small = asDoubles(v);
  if (out instanceof Int16Array) return new Int16Array(small);
  return out instanceof Int32Array ? new Int32Array(small) : new Float64Array(small);
}

/** Entries of a range as numbers. */
export const numbersOf = (a: IntegerArray, range: Range): Numbers => (isSmall(a) ? a : narrowed(a, range));

/** As entries of a statement or a device's vector. */
export function entriesOf(v: Numbers, range: Range): IntegerArray {
  const out = allocate(range, 0);
  if (out.constructor === v.constructor) return v as IntegerArray;
  if (out instanceof BigInt64Array && v instanceof Float64Array) return integersOf(v);
  const entries = allocate(range, v.length);
  if (isSmall(v) && isSmall(entries)) {
    entries.set(v);
    return entries;
  }
  for (let i = 0; i < v.length; i++) setEntry(entries, i, BigInt(v[i]));
  return entries;
}

/** The words of 64-bit integers: v = words[2i] modulo 2^32 + 2^32 words[2i + 1]. Reading an entry itself would allocate. */
export const wordsOf = (v: BigInt64Array): Int32Array => new Int32Array(v.buffer, v.byteOffset, 2 * v.length);

/** 64-bit integers that fit 53 bits. */
export function doublesOf(v: BigInt64Array): Float64Array {
  const words = wordsOf(v);
  const out = new Float64Array(v.length);
  for (let i = 0; i < out.length; i++) out[i] = words[2 * i + 1] * WORD + (words[2 * i] >>> 0);
  return out;
}

/** Of numbers that fit 53 bits. */
function asDoubles(v: Numbers): SmallNumbers {
  if (isSmall(v)) return v;
  return Array.isArray(v) ? Float64Array.from(v, Number) : doublesOf(v);
}

function integersOf(v: Float64Array): BigInt64Array {
  const out = new BigInt64Array(v.length);
  const words = wordsOf(out);
  for (let i = 0; i < v.length; i++) {
    const high = Math.floor(v[i] / WORD);
    words[2 * i] = v[i] - high * WORD;
    words[2 * i + 1] = high;
  }
  return out;
}

/** Sums of multiples of integers, exact up to a bound that is known beforehand. */
export interface Sums {
  /** Adds `scale` times each entry; no magnitude is above `bound`. */
  add(entries: Numbers, scale: bigint, bound: bigint): void;
  /** In the storage for a range, which they keep. */
  result(range: Range): Numbers;
}

/** @param bound of the sum of all magnitudes that will be added */
export function makeSums(length: number, bound: bigint): Sums {
  if (bound < MOST_DOUBLE) return doubleSums(length);
  return bound < 2n ** 84n ? pairSums(length) : bigSums(length);
}

function doubleSums(length: number): Sums {
  const sums = new Float64Array(length);
  return {
    add(entries, scale) {
      const by = Number(scale);
      const small = asDoubles(entries);
      if (by === 1) for (let i = 0; i < length; i++) sums[i] += small[i];
      else for (let i = 0; i < length; i++) sums[i] += by * small[i];
    },
    result: (range) => narrowed(sums, range),
  };
}

/** A sum is high 2^32 + low: both are integers within 53 bits. */
function pairSums(length: number): Sums {
  const [high, low] = [new Float64Array(length), new Float64Array(length)];
  /** Adds by * small[i], which have to be exact. */
  const addProducts = (small: SmallNumbers, by: number): void => {
    for (let i = 0; i < length; i++) {
      const v = by * small[i];
      const up = Math.floor(v / WORD);
      high[i] += up;
      low[i] += v - up * WORD;
    }
  };
  return {
    add(entries, scale, bound) {
      const odd = oddPart(scale);
      const by = Number(scale);
      if (isSmall(entries) && odd * bound < MOST_DOUBLE) addProducts(entries, by);
      else if (isSmall(entries) && odd < 2n ** 26n) {
        const [upper, lower] = halves(entries, 27);
        addProducts(upper, by * 2 ** 27);
        addProducts(lower, by);
      } else if (entries instanceof BigInt64Array && (scale < 0n ? -scale : scale) < 2n ** 20n) {
        const words = wordsOf(entries);
        for (let i = 0; i < length; i++) {
          const v = by * (words[2 * i] >>> 0);
          const up = Math.floor(v / WORD);
          high[i] += by * words[2 * i + 1] + up;
          low[i] += v - up * WORD;
        }
      } else
        for (let i = 0; i < length; i++) {
          const v = scale * BigInt(entries[i]);
          high[i] += Number(v >> 32n);
          low[i] += Number(BigInt.asUintN(32, v));
        }
    },
    result(range) {
      if (rangeBits(range) > 64) return Array.from(high, (v, i) => BigInt(v) * 2n ** 32n + BigInt(low[i]));
      // Exact, as the sum itself is.
      if (fitsDouble(range))
        return narrowed(
          high.map((v, i) => v * WORD + low[i]),
          range,
        );
      const out = new BigInt64Array(length);
      const words = wordsOf(out);
      for (let i = 0; i < length; i++) {
        const carry = Math.floor(low[i] / WORD);
        words[2 * i] = low[i] - carry * WORD;
        words[2 * i + 1] = high[i] + carry;
      }
      return out;
    },
  };
}

function bigSums(length: number): Sums {
  const sums: bigint[] = Array.from({ length }, () => 0n);
  return {
    add(entries, scale) {
      for (let i = 0; i < length; i++) sums[i] += scale * BigInt(entries[i]);
    },
    result: (range) => narrowed(sums, range),
  };
}

/** Magnitude without its factors of two, which cost a double nothing. */
function oddPart(n: bigint): bigint {
  if (n === 0n) return 0n;
  let odd = n < 0n ? -n : n;
  while ((odd & 0xffffn) === 0n) odd >>= 16n;
  while ((odd & 1n) === 0n) odd >>= 1n;
  return odd;
}

/** v = upper 2^bits + lower, 0 <= lower < 2^bits. */
export function halves(v: SmallNumbers, bits: number): [upper: Float64Array, lower: Float64Array] {
  const by = 2 ** bits;
  const [upper, lower] = [new Float64Array(v.length), new Float64Array(v.length)];
  for (let i = 0; i < v.length; i++) {
    upper[i] = Math.floor(v[i] / by);
    lower[i] = v[i] - upper[i] * by;
  }
  return [upper, lower];
}
