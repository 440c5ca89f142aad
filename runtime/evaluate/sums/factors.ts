/** Factors of products: arrays, and how their entries follow from the indices of a sum. */
import { isSmall, MAX_DOUBLE, wordsOf, type ComputedIntegers, type SmallIntegers } from '../../integers/arrays.ts';

/** Of integers, or of reals: then doubles or less. */
export type FactorArray = ComputedIntegers | Int8Array | Float32Array;

/** What doubles hold, integers or reals. */
export type SmallArray = SmallIntegers | Int8Array | Float32Array;

/** The entry for indices i is values[base + the sum over j of i[j] * steps[j]], which lies inside the array. */
export interface Factor {
  readonly values: FactorArray;
  readonly base: number;
  /** Of each index; 0 for one that it does not depend on. */
  readonly steps: readonly number[];
  /** Of integers: no entry has a larger magnitude. Reals have none. */
  readonly bound: bigint | undefined;
}

export const holdsSmall = (values: FactorArray): values is SmallArray => isSmall(values as ComputedIntegers);

/** A factor that is known to be in doubles or less. */
export interface SmallFactor extends Factor {
  readonly values: SmallArray;
}

export const isSmallFactor = (f: Factor): f is SmallFactor => holdsSmall(f.values);

/** Bounds the sum of the magnitudes of `count` products; undefined for reals. */
export function boundOf(factors: readonly Factor[], count: number): bigint | undefined {
  let bound = BigInt(count);
  for (const f of factors) {
    if (f.bound === undefined) return undefined;
    bound *= f.bound;
  }
  return bound;
}

/** Whether doubles compute a sum of products, exactly if they are integers, as long as its factors are doubles. */
export const isExact = (bound: bigint | undefined): boolean => bound === undefined || bound < MAX_DOUBLE;

/** With the bound that the entries themselves give, which proved ranges often leave far behind. */
export function tightened(f: Factor): Factor {
  if (f.bound === undefined) return f;
  const { values } = f;
  if (!holdsSmall(values)) return f;
  let [lo, hi] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (v > hi) hi = v;
    else if (v < lo) lo = v;
  }
  return { ...f, bound: BigInt(Math.max(hi, -lo)) };
}

/** A product of which a multiple is added: factors in doubles, so small that a sum of their products is exact. */
export interface Part {
  readonly factors: readonly SmallFactor[];
  readonly scale: bigint;
  readonly bound: bigint;
}

/** Factors below this are not split: there would be no end of parts. */
const MIN_WIDTH = 8;
const MAX_PARTS = 16;

/**
 * A product as a sum of scaled ones that doubles compute exactly, also where `count` of each are added: the widest factor is split
 * into limbs until the rest is narrow enough. Undefined where that would be too many.
 */
export function partsOf(factors: readonly Factor[], count: number): readonly Part[] | undefined {
  const parts: Part[] = [];
  const open: { readonly factors: readonly Factor[]; readonly scale: bigint }[] = [{ factors, scale: 1n }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { factors: own, scale } = next;
    const bound = boundOf(own, count) ?? 0n;
    if (bound < MAX_DOUBLE && own.every(isSmallFactor)) {
      parts.push({ factors: own, scale, bound });
      continue;
    }
    const widest = own.reduce((best, f, k) => (width(f) > width(own[best]) ? k : best), 0);
    const shift = splitShift(own[widest], bound);
    if (shift === undefined || parts.length + open.length >= MAX_PARTS) return undefined;
    for (const [limb, by] of limbsOf(own[widest], shift))
      open.push({ factors: own.map((f, k) => (k === widest ? limb : f)), scale: scale * by });
  }
  return parts;
}

const bitLength = (n: bigint): number => (n === 0n ? 0 : n.toString(2).length);

/** 64-bit integers and larger ones count as such: they are split in any case. */
const width = (f: Factor): number => Math.max(bitLength(f.bound ?? 0n), holdsSmall(f.values) ? 0 : 64);

/** How many bits the lower limb of a factor gets. */
function splitShift(f: Factor, bound: bigint): number | undefined {
  const bits = bitLength(f.bound ?? 0n);
  // As many as the sum has too many of, so that one limb needs no further split.
  const excess = Math.max(bitLength(bound) - 52, 1);
  const shift = excess < bits ? excess : bits >> 1;
  if (Array.isArray(f.values)) return Math.max(1, Math.min(shift, 48));
  if (!holdsSmall(f.values)) return Math.min(Math.max(shift, 11), 32);
  return bits < MIN_WIDTH ? undefined : shift;
}

/** v = upper 2^shift + lower, 0 <= lower < 2^shift. */
function limbsOf(f: Factor, shift: number): [Factor, bigint][] {
  const unit = 2n ** BigInt(shift);
  const bound = ((f.bound ?? 0n) >> BigInt(shift)) + 1n;
  const { upper, lower } = halvesOf(f, shift, bound);
  return [
    [{ ...f, values: upper, bound }, unit],
    [{ ...f, values: lower, bound: unit - 1n }, 1n],
  ];
}

/** @param bound of the upper halves */
function halvesOf(f: Factor, shift: number, bound: bigint): { upper: Float64Array | bigint[]; lower: Float64Array } {
  const length = f.values.length;
  const by = 2 ** shift;
  const lower = new Float64Array(length);
  if (Array.isArray(f.values)) {
    const { values } = f;
    const down = BigInt(shift);
    for (let i = 0; i < length; i++) lower[i] = Number(BigInt.asUintN(shift, values[i]));
    if (bound >= MAX_DOUBLE) return { upper: values.map((v) => v >> down), lower };
    return { upper: Float64Array.from(values, (v) => Number(v >> down)), lower };
  }
  const upper = new Float64Array(length);
  if (f.values instanceof BigInt64Array) {
    const words = wordsOf(f.values);
    const rest = 2 ** (32 - shift);
    for (let i = 0; i < length; i++) {
      const low = words[2 * i] >>> 0;
      const high = Math.floor(low / by);
      upper[i] = words[2 * i + 1] * rest + high;
      lower[i] = low - high * by;
    }
  } else {
    const values = f.values;
    for (let i = 0; i < length; i++) {
      upper[i] = Math.floor(values[i] / by);
      lower[i] = values[i] - upper[i] * by;
    }
  }
  return { upper, lower };
}
