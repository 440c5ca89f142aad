/**
 * A canonical binary encoding of plain data: one value has one encoding, and decoding accepts nothing else.
 *
 * Tags: 0 absent, 1 false, 2 true, 3 integer (zigzag varint, safe integers), 4 bigint (sign, length, magnitude
 * little-endian), 5 string (UTF-8), 6 array, 7 record (keys ascending), 8 bytes. Lengths are varints.
 */
import { CodecError } from '../ir/errors.ts';

export type Plain =
  undefined | boolean | number | bigint | string | Uint8Array | readonly Plain[] | { readonly [key: string]: Plain };

export { CodecError };

const DEEPEST = 100;
/** Of a number's magnitude: real ones have a few hundred bytes, and arithmetic on long ones takes long. */
const LONGEST_NUMBER = 2 ** 14;

export function encode(value: Plain): Uint8Array {
  const out = new Writer();
  write(value, out);
  return out.bytes();
}

/** Bytes in a buffer that doubles. */
class Writer {
  #buffer = new Uint8Array(1024);
  #length = 0;

  push(...bytes: readonly number[]): void {
    this.append(bytes);
  }

  append(bytes: ArrayLike<number>): void {
    const end = this.#length + bytes.length;
    if (end > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#buffer.length));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = end;
  }

  bytes(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }
}

function varint(n: bigint, out: Writer): void {
  for (; n >= 0x80n; n >>= 7n) out.push(Number(n & 0x7fn) | 0x80);
  out.push(Number(n));
}

function write(value: Plain, out: Writer): void {
  if (value === undefined) out.push(0);
  else if (typeof value === 'boolean') out.push(value ? 2 : 1);
  else if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new CodecError(`${value} is no safe integer`);
    out.push(3);
    const n = BigInt(value);
    varint(n >= 0n ? 2n * n : -2n * n - 1n, out);
  } else if (typeof value === 'bigint') writeBigint(value, out);
  else if (typeof value === 'string') writeBytes(5, new TextEncoder().encode(value), out);
  else if (value instanceof Uint8Array) writeBytes(8, value, out);
  else if (isArray(value)) {
    out.push(6);
    varint(BigInt(value.length), out);
    for (const v of value) write(v, out);
  } else {
    const keys = Object.keys(value)
      .filter((k) => value[k] !== undefined)
      .sort();
    out.push(7);
    varint(BigInt(keys.length), out);
    for (const k of keys) {
      writeBytes(5, new TextEncoder().encode(k), out);
      write(value[k], out);
    }
  }
}

const isArray = (v: Plain): v is readonly Plain[] => Array.isArray(v);

function writeBytes(tag: number, bytes: Uint8Array, out: Writer): void {
  out.push(tag);
  varint(BigInt(bytes.length), out);
  out.append(bytes);
}

function writeBigint(value: bigint, out: Writer): void {
  const magnitude: number[] = [];
  const digits = (value < 0n ? -value : value).toString(16);
  if (value !== 0n)
    for (let end = digits.length; end > 0; end -= 2)
      magnitude.push(parseInt(digits.slice(Math.max(0, end - 2), end), 16));
  if (magnitude.length > LONGEST_NUMBER) throw new CodecError('a number that is too long');
  out.push(4, value < 0n ? 1 : 0);
  varint(BigInt(magnitude.length), out);
  out.append(magnitude);
}

/** @throws CodecError unless the bytes are exactly the encoding of one value. */
export function decode(bytes: Uint8Array): Plain {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (!reader.atEnd) throw new CodecError('bytes after the end');
  return value;
}

/** Little-endian. */
function fromBytes(bytes: Uint8Array): bigint {
  const digits = Array.from(bytes, (b) => b.toString(16).padStart(2, '0'));
  return BigInt(`0x0${digits.reverse().join('')}`);
}

class Reader {
  readonly #bytes: Uint8Array;
  // Not one for all: older Safaris give up on a decoder after 2 GiB.
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(depth: number): Plain {
    if (depth > DEEPEST) throw new CodecError('nested too deeply');
    const tag = this.#byte();
    switch (tag) {
      case 0:
        return undefined;
      case 1:
      case 2:
        return tag === 2;
      case 3: {
        const z = this.#varint();
        const n =
          typeof z === 'number' ? (z % 2 === 1 ? -(z + 1) / 2 : z / 2) : Number(z & 1n ? -(z + 1n) / 2n : z / 2n);
        if (!Number.isSafeInteger(n)) throw new CodecError('an integer that is not safe');
        return n;
      }
      case 4:
        return this.#bigint();
      case 5:
        return this.#string();
      case 6:
        return Array.from({ length: this.#length(1) }, () => this.value(depth + 1));
      case 7:
        return this.#record(depth);
      case 8:
        return this.#take(this.#length(1)).slice();
      default:
        throw new CodecError(`unknown tag ${tag}`);
    }
  }

  #record(depth: number): Plain {
    const out: Record<string, Plain> = Object.create(null) as Record<string, Plain>;
    let last: string | undefined;
    for (let n = this.#length(2); n > 0; n--) {
      if (this.#byte() !== 5) throw new CodecError('a key that is no string');
      const key = this.#string();
      if (last !== undefined && key <= last) throw new CodecError('keys out of order');
      out[key] = this.value(depth + 1);
      if (out[key] === undefined) throw new CodecError('an absent entry that is written out');
      last = key;
    }
    return out;
  }

  #byte(): number {
    if (this.atEnd) throw new CodecError('bytes end early');
    return this.#bytes[this.#at++];
  }

  #take(n: number): Uint8Array {
    if (n > this.#bytes.length - this.#at) throw new CodecError('bytes end early');
    return this.#bytes.subarray(this.#at, (this.#at += n));
  }

  /** Of up to seven bytes as a double, which holds it. */
  #varint(): number | bigint {
    let n = 0;
    for (let k = 0, unit = 1; k < 7; k++, unit *= 128) {
      const b = this.#byte();
      n += (b & 0x7f) * unit;
      if (b >= 0x80) continue;
      if (b === 0 && k > 0) throw new CodecError('a number with leading zeros');
      return n;
    }
    let long = BigInt(n);
    for (let shift = 49n; ; shift += 7n) {
      const b = this.#byte();
      long |= BigInt(b & 0x7f) << shift;
      if (b < 0x80) {
        if (b === 0) throw new CodecError('a number with leading zeros');
        return long;
      }
      if (shift > 63n) throw new CodecError('a number that is too long');
    }
  }

  /** A count of items of at least `least` bytes: what cannot fit in the rest of the bytes is refused before any allocation. */
  #length(least: number): number {
    const n = this.#varint();
    if (typeof n === 'bigint' || n * least > this.#bytes.length - this.#at)
      throw new CodecError('a length beyond the end');
    return n;
  }

  #bigint(): bigint {
    const sign = this.#byte();
    const length = this.#length(1);
    if (length > LONGEST_NUMBER) throw new CodecError('a number that is too long');
    const magnitude = this.#take(length);
    const v = length > 6 ? fromBytes(magnitude) : BigInt(magnitude.reduceRight((n, b) => 256 * n + b, 0));
    if (sign > 1 || magnitude.at(-1) === 0 || (v === 0n && sign === 1))
      throw new CodecError('a number that is not canonical');
    return sign === 1 ? -v : v;
  }

  #string(): string {
    const bytes = this.#take(this.#length(1));
    try {
      return this.#utf8.decode(bytes);
    } catch {
      throw new CodecError('a string that is not UTF-8');
    }
  }
}
