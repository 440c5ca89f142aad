/**
 * Exact integer arrays: the smallest typed array that holds a proved range, or bigints beyond 64 bits. The canonical
 * bytes of a tensor in a statement are its entries in two's complement, little-endian, as wide as its range needs.
 */
import type { Range } from '../../../compiler/ir/tensor/program.ts';
import type { FrVector, Integers, IntVector, VerifierDevice } from '../../device/device.ts';
import { reduce } from '../scalar.ts';

export type IntegerArray = Integers | bigint[];

/** Bits of two's complement that hold the range. */
export function rangeBits({ lo, hi }: Range): number {
  const largest = hi > -lo - 1n ? hi : -lo - 1n;
  return largest <= 0n ? 1 : largest.toString(2).length + 1;
}

/** Zeros, in the storage for a range. */
export function allocate(range: Range, length: number): IntegerArray {
  const bits = rangeBits(range);
  if (bits <= 16) return new Int16Array(length);
  if (bits <= 32) return new Int32Array(length);
  if (bits <= 64) return new BigInt64Array(length);
  return Array.from({ length }, () => 0n);
}

export const isWide = (a: IntegerArray): a is bigint[] => Array.isArray(a);

export const entry = (a: IntegerArray, i: number): bigint => BigInt(a[i]);

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

/** On the device: small integers as they are, wide ones as field elements. */
export const upload = (device: VerifierDevice, a: IntegerArray): IntVector | FrVector =>
  isWide(a) ? device.frVector(a.map(reduce)) : device.intVector(a);

/** Bytes an entry takes in a statement. */
export const entryBytes = (range: Range): number => {
  const bits = rangeBits(range);
  return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : bits <= 64 ? 8 : Math.ceil(bits / 8);
};

/** The canonical bytes; they may share memory with the array. */
export function encodeIntegers(range: Range, a: IntegerArray): Uint8Array {
  const width = entryBytes(range);
  // The bulk is typed arrays whose memory already is the encoding on little-endian machines, which all targets are.
  if (!isWide(a) && a.BYTES_PER_ELEMENT === width) return new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  const out = new Uint8Array(a.length * width);
  for (let i = 0; i < a.length; i++) {
    let v = entry(a, i);
    for (let k = 0; k < width; k++, v >>= 8n) out[i * width + k] = Number(v & 0xffn);
  }
  return out;
}

/** The inverse; a reason if the bytes are not the encoding of entries inside the range. */
export function decodeIntegers(range: Range, length: number, bytes: Uint8Array): IntegerArray | string {
  const width = entryBytes(range);
  if (bytes.length !== length * width) return `${bytes.length} bytes for ${length} entries of ${width}`;
  const out = allocate(range, length);
  if (!isWide(out) && out.BYTES_PER_ELEMENT === width) new Uint8Array(out.buffer).set(bytes);
  else
    for (let i = 0; i < length; i++) {
      let v = 0n;
      for (let k = width - 1; k >= 0; k--) v = (v << 8n) | BigInt(bytes[i * width + k]);
      setEntry(out, i, BigInt.asIntN(8 * width, v));
    }
  const bad = outside(range, out);
  return bad < 0 ? out : `entry ${bad} is ${entry(out, bad)}, outside [${range.lo}, ${range.hi}]`;
}

/** Position of the first entry outside the range, or -1. */
export function outside(range: Range, a: IntegerArray): number {
  if (a instanceof Int16Array || a instanceof Int32Array) {
    const [lo, hi] = [Number(range.lo), Number(range.hi)];
    for (let i = 0; i < a.length; i++) if (a[i] < lo || a[i] > hi) return i;
    return -1;
  }
  // Reading a 64-bit entry allocates; its high half decides in nearly all cases.
  const halves = a instanceof BigInt64Array ? new Int32Array(a.buffer, a.byteOffset, 2 * a.length) : undefined;
  const [lo, hi] = [Number(range.lo >> 32n), Number(range.hi >> 32n)];
  for (let i = 0; i < a.length; i++) {
    if (halves && halves[2 * i + 1] > lo && halves[2 * i + 1] < hi) continue;
    if (a[i] < range.lo || a[i] > range.hi) return i;
  }
  return -1;
}
