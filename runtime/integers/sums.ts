/** Sums of multiples of integers, in doubles, in pairs of them, or in bigints: what a bound that is known beforehand asks for. */
import type { Range } from '../../compiler/ir/tensor/program.ts';
import {
  fitsDouble,
  isSmall,
  MAX_DOUBLE,
  rangeBits,
  toComputed,
  toSmall,
  wordsOf,
  type ComputedIntegers,
  type SmallIntegers,
} from './arrays.ts';

const WORD = 2 ** 32;

/** Sums of multiples of integers, exact up to a bound that is known beforehand. */
export interface Sums {
  /** Adds `scale` times each entry; no magnitude is above `bound`. */
  add(entries: ComputedIntegers, scale: bigint, bound: bigint): void;
  /** In the storage for a range, which they keep. */
  result(range: Range): ComputedIntegers;
}

/** @param bound of the sum of all magnitudes that will be added */
export function makeSums(length: number, bound: bigint): Sums {
  if (bound < MAX_DOUBLE) return doubleSums(length);
  return bound < 2n ** 84n ? pairSums(length) : bigSums(length);
}

function doubleSums(length: number): Sums {
  const sums = new Float64Array(length);
  return {
    add(entries, scale) {
      const by = Number(scale);
      const small = toSmall(entries);
      if (by === 1) for (let i = 0; i < length; i++) sums[i] += small[i];
      else for (let i = 0; i < length; i++) sums[i] += by * small[i];
    },
    result: (range) => toComputed(sums, range),
  };
}

/** A sum is high 2^32 + low: both are integers within 53 bits. */
function pairSums(length: number): Sums {
  const [high, low] = [new Float64Array(length), new Float64Array(length)];
  /** Adds by * small[i], which have to be exact. */
  const addProducts = (small: SmallIntegers, by: number): void => {
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
      if (isSmall(entries) && odd * bound < MAX_DOUBLE) addProducts(entries, by);
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
        return toComputed(
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
    result: (range) => toComputed(sums, range),
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
function halves(v: SmallIntegers, bits: number): [upper: Float64Array, lower: Float64Array] {
  const by = 2 ** bits;
  const [upper, lower] = [new Float64Array(v.length), new Float64Array(v.length)];
  for (let i = 0; i < v.length; i++) {
    upper[i] = Math.floor(v[i] / by);
    lower[i] = v[i] - upper[i] * by;
  }
  return [upper, lower];
}
