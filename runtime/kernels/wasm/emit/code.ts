/**
 * A minimal typed emitter of WebAssembly instructions: expressions are values that write themselves, statements write at once.
 * Our own because the typed emitters there are do not have the relaxed vector instructions that the field arithmetic is made of.
 * Encodings: WebAssembly core specification 3.0, section 5.4 (numeric, vector and relaxed-vector instructions).
 */

export type ValueType = 'i32' | 'i64' | 'f64' | 'v128';

/** Growing buffer of bytes with LEB128 integers. */
export class Bytes {
  #buffer = new Uint8Array(1024);
  #length = 0;

  byte(b: number): void {
    if (this.#length === this.#buffer.length) this.#grow(1);
    this.#buffer[this.#length++] = b;
  }

  append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#buffer.length) this.#grow(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  unsigned(n: number): void {
    while (n >= 128) {
      this.byte((n & 127) | 128);
      n = Math.floor(n / 128);
    }
    this.byte(n);
  }

  signed(n: bigint): void {
    for (;;) {
      const low = Number(n & 127n);
      n >>= 7n;
      if ((n === 0n && low < 64) || (n === -1n && low >= 64)) {
        this.byte(low);
        return;
      }
      this.byte(low | 128);
    }
  }

  /** As `signed`, for 32-bit integers. */
  signed32(n: number): void {
    for (;;) {
      const low = n & 127;
      n >>= 7;
      if ((n === 0 && low < 64) || (n === -1 && low >= 64)) {
        this.byte(low);
        return;
      }
      this.byte(low | 128);
    }
  }

  name(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.unsigned(bytes.length);
    this.append(bytes);
  }

  /** Length-prefixed content. */
  block(content: Bytes): void {
    this.unsigned(content.length);
    this.append(content.view());
  }

  get length(): number {
    return this.#length;
  }

  view(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  #grow(extra: number): void {
    const bigger = new Uint8Array(2 * (this.#length + extra));
    bigger.set(this.view());
    this.#buffer = bigger;
  }
}

/** Something that leaves one value of type T on the stack. */
export interface Expr<T extends ValueType> {
  readonly type: T;
  write(out: Bytes): void;
}

export interface Local<T extends ValueType> extends Expr<T> {
  readonly index: number;
}

export type I32 = Expr<'i32'>;
export type I64 = Expr<'i64'>;
export type F64 = Expr<'f64'>;
export type V128 = Expr<'v128'>;

/** An i32 operand may be written as a number. */
export type Int = I32 | number;

function node<T extends ValueType>(type: T, operands: readonly Expr<ValueType>[], tail: (out: Bytes) => void): Expr<T> {
  return {
    type,
    write(out) {
      for (const operand of operands) operand.write(out);
      tail(out);
    },
  };
}

const plain =
  <T extends ValueType>(type: T, opcode: number) =>
  (...operands: readonly Expr<ValueType>[]): Expr<T> =>
    node(type, operands, (out) => out.byte(opcode));

const vector =
  <T extends ValueType>(type: T, opcode: number) =>
  (...operands: readonly Expr<ValueType>[]): Expr<T> =>
    node(type, operands, (out) => {
      out.byte(0xfd);
      out.unsigned(opcode);
    });

const lanewise =
  <T extends ValueType>(type: T, opcode: number) =>
  (lane: number, ...operands: readonly Expr<ValueType>[]): Expr<T> =>
    node(type, operands, (out) => {
      out.byte(0xfd);
      out.unsigned(opcode);
      out.byte(lane);
    });

const toI32 = (x: Int): I32 => (typeof x === 'number' ? i32.const(x) : x);
const toI64 = (x: I64 | bigint): I64 => (typeof x === 'bigint' ? i64.const(x) : x);

const binary32 = (opcode: number) => {
  const op = plain('i32', opcode);
  return (a: Int, b: Int): I32 => op(toI32(a), toI32(b));
};
const binary64 = (opcode: number) => {
  const op = plain('i64', opcode);
  return (a: I64 | bigint, b: I64 | bigint): I64 => op(toI64(a), toI64(b));
};
const compare64 = (opcode: number) => {
  const op = plain('i32', opcode);
  return (a: I64 | bigint, b: I64 | bigint): I32 => op(toI64(a), toI64(b));
};

/** A load: address plus constant offset; `align` is log2 of the alignment. */
const load =
  <T extends ValueType>(type: T, opcode: readonly number[], align: number) =>
  (address: Int, offset = 0): Expr<T> =>
    node(type, [toI32(address)], (out) => memoryOp(out, opcode, align, offset));

function memoryOp(out: Bytes, opcode: readonly number[], align: number, offset: number): void {
  for (const b of opcode) out.byte(b);
  out.unsigned(align);
  out.unsigned(offset);
}

export const i32 = {
  const: (n: number): I32 =>
    node('i32', [], (out) => {
      out.byte(0x41);
      out.signed32(n | 0);
    }),
  load: load('i32', [0x28], 2),
  load8_u: load('i32', [0x2d], 0),
  load16_s: load('i32', [0x2e], 1),
  load16_u: load('i32', [0x2f], 1),
  eqz: (a: Int): I32 => plain('i32', 0x45)(toI32(a)),
  eq: binary32(0x46),
  ne: binary32(0x47),
  lt_s: binary32(0x48),
  lt_u: binary32(0x49),
  gt_s: binary32(0x4a),
  gt_u: binary32(0x4b),
  le_s: binary32(0x4c),
  le_u: binary32(0x4d),
  ge_s: binary32(0x4e),
  ge_u: binary32(0x4f),
  add: binary32(0x6a),
  sub: binary32(0x6b),
  mul: binary32(0x6c),
  div_u: binary32(0x6e),
  rem_u: binary32(0x70),
  and: binary32(0x71),
  or: binary32(0x72),
  xor: binary32(0x73),
  shl: binary32(0x74),
  shr_s: binary32(0x75),
  shr_u: binary32(0x76),
  ctz: (a: Int): I32 => plain('i32', 0x68)(toI32(a)),
  wrap: (a: I64): I32 => plain('i32', 0xa7)(a),
  select: (ifTrue: Int, ifFalse: Int, condition: I32): I32 =>
    plain('i32', 0x1b)(toI32(ifTrue), toI32(ifFalse), condition),
} as const;

export const i64 = {
  const: (n: bigint): I64 =>
    node('i64', [], (out) => {
      out.byte(0x42);
      out.signed(BigInt.asIntN(64, n));
    }),
  load: load('i64', [0x29], 3),
  load16_s: load('i64', [0x32], 1),
  load32_s: load('i64', [0x34], 2),
  load32_u: load('i64', [0x35], 2),
  eqz: (a: I64): I32 => plain('i32', 0x50)(a),
  eq: compare64(0x51),
  lt_s: compare64(0x53),
  lt_u: compare64(0x54),
  gt_s: compare64(0x55),
  ge_s: compare64(0x59),
  add: binary64(0x7c),
  sub: binary64(0x7d),
  mul: binary64(0x7e),
  and: binary64(0x83),
  or: binary64(0x84),
  xor: binary64(0x85),
  shl: binary64(0x86),
  shr_s: binary64(0x87),
  shr_u: binary64(0x88),
  extend_s: (a: Int): I64 => plain('i64', 0xac)(toI32(a)),
  extend_u: (a: Int): I64 => plain('i64', 0xad)(toI32(a)),
  /** Truncates towards zero, saturating. */
  truncate: (a: F64): I64 =>
    node('i64', [a], (out) => {
      out.byte(0xfc);
      out.byte(6);
    }),
  reinterpret: (a: F64): I64 => plain('i64', 0xbd)(a),
} as const;

export const f64 = {
  load: load('f64', [0x2b], 3),
  const: (x: number): F64 =>
    node('f64', [], (out) => {
      out.byte(0x44);
      out.append(new Uint8Array(new Float64Array([x]).buffer));
    }),
  convert_i32: (a: Int): F64 => plain('f64', 0xb7)(toI32(a)),
  convert_i64: (a: I64): F64 => plain('f64', 0xb9)(a),
  reinterpret: (a: I64): F64 => plain('f64', 0xbf)(a),
  neg: (a: F64): F64 => plain('f64', 0x9a)(a),
  mul: (a: F64, b: F64): F64 => plain('f64', 0xa2)(a, b),
} as const;

type VectorBinary = (a: V128, b: V128) => V128;
const vec2 = (opcode: number): VectorBinary => vector('v128', opcode);
const vec1 = (opcode: number): ((a: V128) => V128) => vector('v128', opcode);

export const v128 = {
  load: load('v128', [0xfd, 0x00], 4),
  load32_splat: load('v128', [0xfd, 0x09], 2),
  load64_splat: load('v128', [0xfd, 0x0a], 3),
  load64_zero: load('v128', [0xfd, 0x5d], 3),
  load32_zero: load('v128', [0xfd, 0x5c], 2),
  /** Replaces lane 1 of `v` by eight bytes from memory. */
  load64_high: (v: V128, address: Int, offset = 0): V128 =>
    node('v128', [toI32(address), v], (out) => {
      memoryOp(out, [0xfd, 0x57], 3, offset);
      out.byte(1);
    }),
  const: (lanes: readonly [bigint, bigint]): V128 =>
    node('v128', [], (out) => {
      out.byte(0xfd);
      out.unsigned(0x0c);
      out.append(new Uint8Array(new BigUint64Array(lanes.map((n) => BigInt.asUintN(64, n))).buffer));
    }),
  and: vec2(0x4e),
  andnot: vec2(0x4f),
  or: vec2(0x50),
  xor: vec2(0x51),
  bitselect: (ifOne: V128, ifZero: V128, mask: V128): V128 => vector('v128', 0x52)(ifOne, ifZero, mask),
  any_true: (a: V128): I32 => vector('i32', 0x53)(a),
} as const;

export const i64x2 = {
  splat: (a: I64): V128 => vector('v128', 0x12)(a),
  constant: (n: bigint): V128 => v128.const([n, n]),
  lane: (a: V128, lane: 0 | 1): I64 => lanewise('i64', 0x1d)(lane, a),
  add: vec2(0xce),
  sub: vec2(0xd1),
  shl: (a: V128, bits: Int): V128 => vector('v128', 0xcb)(a, toI32(bits)),
  shr_u: (a: V128, bits: number): V128 => vector('v128', 0xcd)(a, i32.const(bits)),
  shr_s: (a: V128, bits: number): V128 => vector('v128', 0xcc)(a, i32.const(bits)),
  eq: vec2(0xd6),
  extend_low_i32x4_s: vec1(0xc7),
  extend_high_i32x4_s: vec1(0xc8),
  extend_low_i32x4_u: vec1(0xc9),
  extend_high_i32x4_u: vec1(0xca),
} as const;

export const i32x4 = {
  splat: (a: Int): V128 => vector('v128', 0x11)(toI32(a)),
  lane: (a: V128, lane: number): I32 => lanewise('i32', 0x1b)(lane, a),
  replaceLane: (a: V128, lane: number, value: I32): V128 => lanewise('v128', 0x1c)(lane, a, value),
  add: vec2(0xae),
  sub: vec2(0xb1),
  shl: (a: V128, bits: number): V128 => vector('v128', 0xab)(a, i32.const(bits)),
  shr_s: (a: V128, bits: number): V128 => vector('v128', 0xac)(a, i32.const(bits)),
  dot_i16x8_s: vec2(0xba),
  extend_low_i16x8_s: vec1(0xa7),
  extend_high_i16x8_s: vec1(0xa8),
} as const;

/** Entries of a and b in turn: of their low halves, or of their high ones. */
const interleave =
  (first: number) =>
  (a: V128, b: V128): V128 =>
    node('v128', [a, b], (out) => {
      out.byte(0xfd);
      out.unsigned(0x0d);
      for (let i = first; i < first + 4; i++)
        for (const lane of [2 * i, 2 * i + 1, 2 * i + 16, 2 * i + 17]) out.byte(lane);
    });

export const i16x8 = { interleaveLow: interleave(0), interleaveHigh: interleave(4) } as const;

const oneDouble = new Float64Array(1);
const oneWord = new BigUint64Array(oneDouble.buffer);

function bitsOf(x: number): bigint {
  oneDouble[0] = x;
  return oneWord[0];
}

export const f64x2 = {
  splat: (a: F64): V128 => vector('v128', 0x14)(a),
  constant: (x: number): V128 => v128.const([bitsOf(x), bitsOf(x)]),
  lane: (a: V128, lane: 0 | 1): F64 => lanewise('f64', 0x21)(lane, a),
  add: vec2(0xf0),
  sub: vec2(0xf1),
  mul: vec2(0xf2),
  replaceLane: (a: V128, lane: 0 | 1, value: F64): V128 => lanewise('v128', 0x22)(lane, a, value),
  abs: vec1(0xec),
  nearest: vec1(0x94),
  eq: vec2(0x47),
  ge: vec2(0x4c),
  /** a * b + c, rounded once where the processor can (relaxed SIMD). */
  relaxed_madd: (a: V128, b: V128, c: V128): V128 => vector('v128', 0x107)(a, b, c),
  convert_low_i32x4_s: vec1(0xfe),
  promote_low_f32x4: vec1(0x5f),
  convert_low_i32x4_u: vec1(0xff),
} as const;

/** The bits of a double, for constants that mix both views. */
export const doubleBits = bitsOf;

export { toI32, toI64, node };
