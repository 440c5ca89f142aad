/**
 * The canonical bytes of a tensor in a statement: its entries in two's complement, little-endian, as wide as its range
 * needs.
 */
import type { Range } from '../../compiler/ir/tensor/program.ts';
import { allocate, entry, isWide, outside, rangeBits, setEntry, type IntegerArray } from './arrays.ts';

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
