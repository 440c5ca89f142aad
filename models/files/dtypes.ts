/**
 * The number formats of safetensors files, little-endian as every target machine is. Widening to float64 is exact;
 * narrowing rounds to nearest, ties to even, for floats and takes only what fits for integers.
 */

export type Dtype = 'F64' | 'F32' | 'F16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U32' | 'U16' | 'U8' | 'BOOL';

/** A number that has no exact image on the other side: its position, and why. */
export interface BadEntry {
  readonly position: number;
  readonly reason: string;
}

export interface DtypeCodec {
  /** Of one entry. */
  readonly bytes: number;
  readonly decode: (bytes: Uint8Array) => Float64Array | BadEntry;
  readonly encode: (values: ArrayLike<number>) => Uint8Array | BadEntry;
}

type Numbers =
  | Float64Array
  | Float32Array
  | Float16Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

interface NumbersConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer): Numbers;
  new (values: ArrayLike<number>): Numbers;
}

/** A copy, so that it is aligned. (`slice` would not copy Node's buffers.) */
const buffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

const floats = (type: NumbersConstructor): DtypeCodec => ({
  bytes: type.BYTES_PER_ELEMENT,
  decode: (bytes) => new Float64Array(new type(buffer(bytes))),
  encode: (values) => bytesOf(new type(values)),
});

const firstOutside = (values: ArrayLike<number>, lo: number, hi: number): BadEntry | undefined => {
  for (let position = 0; position < values.length; position++) {
    const v = values[position];
    if (!Number.isInteger(v) || v < lo || v > hi) return { position, reason: `is ${v}, no integer of [${lo}, ${hi}]` };
  }
  return undefined;
};

const integers = (type: NumbersConstructor, lo: number, hi: number): DtypeCodec => ({
  bytes: type.BYTES_PER_ELEMENT,
  decode: (bytes) => new Float64Array(new type(buffer(bytes))),
  encode: (values) => firstOutside(values, lo, hi) ?? bytesOf(new type(values)),
});

/** The upper half of a float32. */
const bfloat16: DtypeCodec = {
  bytes: 2,
  decode: (bytes) => {
    const words = new Uint16Array(buffer(bytes));
    const out = new Float64Array(words.length);
    const word = new Uint32Array(1);
    const float = new Float32Array(word.buffer);
    // One at a time: `from` with a function collects all entries in a list, which ends at 2^27 of them.
    for (let i = 0; i < words.length; i++) {
      word[0] = words[i] << 16;
      out[i] = float[0];
    }
    return out;
  },
  encode: (values) => {
    const words = new Uint32Array(new Float32Array(values).buffer);
    // Adding up to half of the dropped half rounds to nearest even; NaNs keep a bit of their payload instead.
    const round = (w: number): number =>
      (w & 0x7fffffff) > 0x7f800000 ? (w >>> 16) | 0x40 : (w + 0x7fff + ((w >>> 16) & 1)) >>> 16;
    const out = new Uint16Array(words.length);
    for (let i = 0; i < words.length; i++) out[i] = round(words[i]);
    return bytesOf(out);
  },
};

const int64: DtypeCodec = {
  bytes: 8,
  decode: (bytes) => {
    const values = new BigInt64Array(buffer(bytes));
    const position = values.findIndex((v) => !Number.isSafeInteger(Number(v)));
    if (position >= 0) return { position, reason: `is ${values[position]}, beyond the 53 bits that are read exactly` };
    const out = new Float64Array(values.length);
    for (let i = 0; i < values.length; i++) out[i] = Number(values[i]);
    return out;
  },
  encode: (values) => {
    const bad = firstOutside(values, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    if (bad) return bad;
    const out = new BigInt64Array(values.length);
    for (let i = 0; i < values.length; i++) out[i] = BigInt(values[i]);
    return bytesOf(out);
  },
};

const bool: DtypeCodec = {
  bytes: 1,
  decode: (bytes) => {
    const position = bytes.findIndex((v) => v > 1);
    return position >= 0
      ? { position, reason: `is the byte ${bytes[position]}, neither 0 nor 1` }
      : new Float64Array(bytes);
  },
  encode: (values) => firstOutside(values, 0, 1) ?? new Uint8Array(values),
};

const CODECS: Readonly<Record<Dtype, DtypeCodec>> = {
  F64: floats(Float64Array),
  F32: floats(Float32Array),
  F16: floats(Float16Array),
  BF16: bfloat16,
  I64: int64,
  I32: integers(Int32Array, -(2 ** 31), 2 ** 31 - 1),
  I16: integers(Int16Array, -(2 ** 15), 2 ** 15 - 1),
  I8: integers(Int8Array, -128, 127),
  U32: integers(Uint32Array, 0, 2 ** 32 - 1),
  U16: integers(Uint16Array, 0, 2 ** 16 - 1),
  U8: integers(Uint8Array, 0, 255),
  BOOL: bool,
};

export const DTYPES = Object.keys(CODECS) as Dtype[];

export const isDtype = (name: unknown): name is Dtype => typeof name === 'string' && Object.hasOwn(CODECS, name);

export const codecOf = (dtype: Dtype): DtypeCodec => CODECS[dtype];
