/** Arrays of exact integers: of all that hold a proved range, the narrowest. */
import type { Range } from '../../compiler/ir/tensor/program.ts';
import type { Integers } from '../device/device.ts';

/** As statements hold them and devices take them: in 16, 32 or 64 bits, or bigints beyond. */
export type IntegerArray = Integers | bigint[];

/** As they are computed: integers of more than 32 bits are doubles as long as those are exact. */
export type ComputedIntegers = IntegerArray | Float64Array;

/** What doubles hold exactly. */
export type SmallIntegers = Int16Array | Int32Array | Float64Array;

/** Magnitudes below this are exact in doubles. */
export const MAX_DOUBLE = 2n ** 53n;

const WORD = 2 ** 32;

/** Bits of two's complement that hold the range. */
export function rangeBits({ lo, hi }: Range): number {
  const magnitude = hi > -lo - 1n ? hi : -lo - 1n;
  return magnitude <= 0n ? 1 : magnitude.toString(2).length + 1;
}

export const fitsDouble = ({ lo, hi }: Range): boolean => lo > -MAX_DOUBLE && hi < MAX_DOUBLE;

/** Of every integer in the range, the largest magnitude. */
export const rangeMagnitude = ({ lo, hi }: Range): bigint => (hi > -lo ? hi : -lo);

/** Zeros, as a statement holds a range. */
export function allocate(range: Range, length: number): IntegerArray {
  const bits = rangeBits(range);
  if (bits <= 16) return new Int16Array(length);
  if (bits <= 32) return new Int32Array(length);
  if (bits <= 64) return new BigInt64Array(length);
  return Array.from({ length }, () => 0n);
}

/** Zeros, as a range is computed with. */
export const allocateComputed = (range: Range, length: number): ComputedIntegers =>
  rangeBits(range) > 32 && fitsDouble(range) ? new Float64Array(length) : allocate(range, length);

export const isWide = (a: ComputedIntegers): a is bigint[] => Array.isArray(a);

export const isSmall = (a: ComputedIntegers): a is SmallIntegers => !Array.isArray(a) && !(a instanceof BigInt64Array);

export const entry = (a: ComputedIntegers, i: number): bigint => BigInt(a[i]);

export function setEntry(a: IntegerArray, i: number, v: bigint): void {
  if (a instanceof Int16Array || a instanceof Int32Array) a[i] = Number(v);
  else a[i] = v;
}

/** @throws RangeError naming the first index whose value is outside the range. */
export function fromBigints(range: Range, values: readonly bigint[]): IntegerArray {
  const out = allocate(range, values.length);
  for (const [i, v] of values.entries()) {
    if (v < range.lo || v > range.hi) throw new RangeError(`entry ${i} is ${v}, outside [${range.lo}, ${range.hi}]`);
    setEntry(out, i, v);
  }
  return out;
}

/** As a range is computed with; the values have to keep the range. It may be the same array. */
export function toComputed(a: ComputedIntegers, range: Range): ComputedIntegers {
  const out = allocateComputed(range, 0);
  if (out.constructor === a.constructor) return a;
  if (out instanceof BigInt64Array && isSmall(a)) return splitDoubles(a);
  if (!isSmall(out)) return out instanceof BigInt64Array ? BigInt64Array.from(a, BigInt) : Array.from(a, BigInt);
  // Conversions between typed arrays are quick, where mapping each entry is not.
  const small = toSmall(a);
  if (out instanceof Int16Array) return new Int16Array(small);
  return out instanceof Int32Array ? new Int32Array(small) : new Float64Array(small);
}

/** As a statement holds a range; the values have to keep the range. It may be the same array. */
export function toEntries(a: ComputedIntegers, range: Range): IntegerArray {
  const out = allocate(range, 0);
  if (out.constructor === a.constructor) return a as IntegerArray;
  if (out instanceof BigInt64Array && a instanceof Float64Array) return splitDoubles(a);
  const entries = allocate(range, a.length);
  if (isSmall(a) && isSmall(entries)) {
    entries.set(a);
    return entries;
  }
  for (let i = 0; i < a.length; i++) setEntry(entries, i, BigInt(a[i]));
  return entries;
}

/** The words of 64-bit integers: v = words[2i] modulo 2^32 + 2^32 words[2i + 1]. Reading an entry itself would allocate. */
export const wordsOf = (a: BigInt64Array): Int32Array => new Int32Array(a.buffer, a.byteOffset, 2 * a.length);

/** 64-bit integers that fit 53 bits. */
export function toDoubles(a: BigInt64Array): Float64Array {
  const words = wordsOf(a);
  const out = new Float64Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = words[2 * i + 1] * WORD + (words[2 * i] >>> 0);
  return out;
}

/** floor(v / 2^by), which fits 53 bits where by >= 11. */
export function shiftedDown(v: BigInt64Array, by: number): Float64Array {
  const words = wordsOf(v);
  const out = new Float64Array(v.length);
  const unit = 2 ** by;
  for (let i = 0; i < out.length; i++) {
    const [low, high] = [words[2 * i] >>> 0, words[2 * i + 1]];
    out[i] = by <= 32 ? high * (2 ** 32 / unit) + Math.floor(low / unit) : Math.floor(high / (unit / 2 ** 32));
  }
  return out;
}

/** Gives back the memory of arrays that nothing reads any more. Left to itself it would be collected much later, as that of devices is no reason to. */
export function discard(arrays: readonly { readonly buffer: ArrayBufferLike }[]): void {
  for (const { buffer } of arrays) if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Integers that fit 53 bits, as doubles or less. */
export function toSmall(a: ComputedIntegers): SmallIntegers {
  if (isSmall(a)) return a;
  return Array.isArray(a) ? Float64Array.from(a, Number) : toDoubles(a);
}

function splitDoubles(a: SmallIntegers): BigInt64Array {
  const out = new BigInt64Array(a.length);
  const words = wordsOf(out);
  for (let i = 0; i < a.length; i++) {
    const high = Math.floor(a[i] / WORD);
    words[2 * i] = a[i] - high * WORD;
    words[2 * i + 1] = high;
  }
  return out;
}

/** By itself, as a loop that only ever sees one kind of array is several times as fast. */
function outsideDoubles(lo: number, hi: number, a: Float64Array): number {
  for (let i = 0; i < a.length; i++) if (!(a[i] >= lo && a[i] <= hi)) return i;
  return -1;
}

/** Position of the first entry outside the range, or -1; NaN is outside. */
export function outside(range: Range, a: ComputedIntegers): number {
  if (isSmall(a)) {
    const [lo, hi] = [Number(range.lo), Number(range.hi)];
    if (a instanceof Float64Array) return outsideDoubles(lo, hi, a);
    for (let i = 0; i < a.length; i++) if (!(a[i] >= lo && a[i] <= hi)) return i;
    return -1;
  }
  // Reading a 64-bit entry allocates; its high half decides in nearly all cases.
  const halves = a instanceof BigInt64Array ? wordsOf(a) : undefined;
  const [lo, hi] = [Number(range.lo >> 32n), Number(range.hi >> 32n)];
  for (let i = 0; i < a.length; i++) {
    if (halves && halves[2 * i + 1] > lo && halves[2 * i + 1] < hi) continue;
    if (a[i] < range.lo || a[i] > range.hi) return i;
  }
  return -1;
}
