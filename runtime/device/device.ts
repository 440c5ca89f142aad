/**
 * What a device does for the prover and the verifier. Devices are interchangeable: for the same calls each returns the
 * same numbers, bit for bit. `reference` (bigint) is the specification, `wasm` is generated code.
 *
 * Conventions. Field elements cross this interface as canonical bigints in [0, r). Vectors live in device memory behind
 * opaque handles and are freed by `scope`. A multilinear table of k variables has 2^k entries, the first variable being
 * the most significant bit of the index; trailing entries that are zero may be left out (`length < 2^k`), and devices do
 * no work on them. Binding and rounds always take the first variable.
 *
 * Calls that return a promise read something back; the others only enqueue. Operations belong to one sequence, whose scopes
 * nest: no two may be in flight at once, and whoever makes more than one of them does so within `exclusive`. The library's
 * own calls (`commit`, `prove`, `register`, `verify`, ...) do, so that any number of them may overlap: they run one by one.
 */
import type { Expression, SumcheckPoint } from '../kernels/expression.ts';

/** A vector of field elements (Fr) in device memory. */
export interface FrVector {
  readonly kind: 'fr';
  readonly length: number;
}

/** A vector of signed integers of 2, 4 or 8 bytes in device memory. */
export interface IntVector {
  readonly kind: 'int';
  readonly length: number;
  readonly bytes: 2 | 4 | 8;
}

/** A batch of matrices whose entries lie in a vector: entry [b, i, j] at offset + b strides[0] + i strides[1] + j strides[2]. */
export interface IntMatrices {
  readonly vector: IntVector;
  readonly offset: number;
  readonly strides: readonly [batch: number, row: number, column: number];
}

/** As `IntMatrices`, of reals in the host's memory. */
export interface RealMatrices {
  readonly values: Float32Array | Float64Array;
  readonly offset: number;
  readonly strides: readonly [batch: number, row: number, column: number];
}

/** A vector of affine points of G1 in device memory; the point at infinity is allowed. */
export interface PointVector {
  readonly kind: 'points';
  readonly length: number;
}

/** What sumchecks and maps run over. Integers stand for field elements; small ones are cheaper in memory and time. */
export type Table = FrVector | IntVector;

/**
 * A table that repeats a few elements, given by positions: entry i is entries[index[i]]. It takes no memory but that of
 * its parts, and lives as long as both do. Positions have 4 bytes; the caller guarantees that each is in [0, entries.length).
 *
 * With `split`, entry i is entries[low] + entries[2^SPLIT_BITS + high], where index[i] = high 2^SPLIT_BITS + low: elements that follow each other at equal distances
 * are sums of so few that caches hold them. Then the first 2^SPLIT_BITS entries are those of low, and high is in [0, entries.length - 2^SPLIT_BITS).
 */
export interface IndexedTable {
  readonly kind: 'indexed';
  readonly length: number;
  readonly entries: FrVector;
  readonly index: IntVector;
  readonly split: boolean;
}

export const indexed = (entries: FrVector, index: IntVector, split = false): IndexedTable => ({
  kind: 'indexed',
  length: index.length,
  entries,
  index,
  split,
});

export type AnyTable = Table | IndexedTable;

/** Memory of vectors, in bytes. */
export interface DeviceMemory {
  /** The most that the device can have; Infinity where it knows no bound. */
  readonly limit: number;
  /** Blocks in use, and the most that there have been since the device was made. */
  readonly used: number;
  readonly peak: number;
  /** What a field element takes. */
  readonly element: number;
}

export type Integers = Int16Array | Int32Array | BigInt64Array;

/** A compiled expression; see `Device.prepare`. */
export interface Kernel {
  readonly expression: Expression;
}

/** What the verifier needs. Small, synchronous underneath, no threads required. */
export interface VerifierDevice {
  readonly name: string;

  /**
   * Runs `body` when it is its turn: one at a time, in the order of the calls, and at once where nobody is before. A body
   * that fails ends its own turn only. Within a body, `exclusive` would wait for itself: so it stands around whole
   * operations and never in what they are made of, and a body neither awaits the library's calls on its device nor
   * callbacks that do. @throws Error in place of running it, once the device is closed
   */
  exclusive<T>(body: () => Promise<T>): Promise<T>;

  /** Runs `body`; every vector made inside is freed when its promise settles, except those made by `keep`. */
  scope<T>(body: () => Promise<T>): Promise<T>;
  /** As `scope`, but what is made inside lives until `release` of the result. Used for registered commitments. */
  keep<T>(body: () => Promise<T>): Promise<{ readonly value: T; release(): void }>;

  /** @throws RangeError unless every value is in [0, r). */
  frVector(values: readonly bigint[]): FrVector;
  intVector(values: Integers): IntVector;
  readFr(v: FrVector): Promise<bigint[]>;

  /** The table of eq(point, .): 2^k entries, entry i = prod_j (i_j ? point_j : 1 - point_j); `length` cuts it short. */
  eq(point: readonly bigint[], length?: number): FrVector;

  /**
   * out[o, i] = sum over d < reduce of weights[d] * v[o, d, i], v row-major of shape [outer, reduce, inner];
   * out has outer * inner entries. Integer entries may be negative.
   */
  contract(
    v: IntVector | FrVector,
    shape: readonly [outer: number, reduce: number, inner: number],
    weights: FrVector,
  ): FrVector;

  /** out[i] = v[index[i]] or 0 where index[i] < 0: broadcasts, pads, transposes, views. */
  gather<V extends IntVector | FrVector>(v: V, index: Int32Array): V;

  /** sum of a[i] * b[i] over the common length. */
  inner(a: FrVector, b: FrVector): Promise<bigint>;

  /**
   * `length` points of 48 bytes, compressed as in the ZCash format of BLS12-381, checked to be canonical, on the curve
   * and in the subgroup of order r. Returns the position of the first bad one instead of throwing.
   */
  decodePoints(
    bytes: Uint8Array,
  ): Promise<PointVector | { readonly bad: number; readonly reason: 'encoding' | 'curve' | 'subgroup' }>;

  /** The first `count` commitment generators G_0 .. and the blinding generator H as points number `count`. */
  generators(count: number): Promise<PointVector>;

  /** sum of scalars[i] * points[i] over all parts together, compressed. Variable time: never with secret scalars whose timing matters. */
  msm(parts: readonly { readonly points: PointVector; readonly scalars: FrVector }[]): Promise<Uint8Array>;
}

/** A row to commit: `length` entries of `vector` from `offset`, on generators G_0 .. G_(length-1), plus blinding * H. */
export interface CommitRow {
  readonly vector: IntVector | FrVector;
  readonly offset: number;
  readonly length: number;
  readonly blinding: bigint;
}

/** What the prover needs besides. */
export interface Device extends VerifierDevice {
  /** Uploads the generators and whatever tables speed up commitments of up to `count` columns. Idempotent. */
  prepareGenerators(count: number): Promise<void>;

  /** One Pedersen vector commitment per row, each 48 bytes compressed. */
  commit(rows: readonly CommitRow[]): Promise<Uint8Array[]>;

  /**
   * out[b, o, i] = sum_d left[b, o, d] * right[b, d, i] over the integers, row-major: exact, the caller guarantees that no 64-bit
   * sum wraps. Quickest where `right` is the larger one.
   */
  multiplyIntegers(
    left: IntMatrices,
    right: IntMatrices,
    shape: readonly [batch: number, outer: number, reduce: number, inner: number],
  ): Promise<BigInt64Array>;

  /**
   * As `multiplyIntegers`, of reals, in float64; the same on every processor. Calibration and comparison use it. Devices without
   * float64 do not have it.
   */
  multiplyReals?(
    left: RealMatrices,
    right: RealMatrices,
    shape: readonly [batch: number, outer: number, reduce: number, inner: number],
  ): Promise<Float64Array>;

  /** out[j] = sum over k of weights[k] * v[rows[k] * columns + j], j < columns: rows of a row-major matrix, weighted and added. */
  combineRows(v: IntVector | FrVector, columns: number, rows: Int32Array, weights: FrVector): FrVector;

  /** Histogram: out[k] = how often v has the value first + k, k < size. @throws RangeError for a value outside. */
  histogram(v: IntVector, first: number, size: number): Promise<Int32Array>;

  /** v as field elements (negative n as r - n). */
  lift(v: IntVector): FrVector;
  /**
   * out[i] = expression at table entry i (no variable bound): builds fraction trees and leaves.
   * @param into what to write to, `length` entries of a `space`; it must share none with the tables. It is returned.
   */
  map(
    kernel: Kernel,
    tables: readonly AnyTable[],
    constants: readonly bigint[],
    length: number,
    into?: FrVector,
  ): FrVector;
  /** A vector whose entries are undefined until `map` has written them, to it or to slices of it. */
  space(length: number): FrVector;
  /** The part [offset, offset + length) as a vector of its own (a view; no copy). */
  slice<V extends IntVector | FrVector>(v: V, offset: number, length: number): V;

  /** Compiles an expression: see `Expression`. Cached by its printed form. */
  prepare(expression: Expression): Kernel;

  /**
   * One sumcheck round. For each point X of `points` ('inf' = coefficient of X^degree: every table replaced by its slope,
   * terms of lower degree left out; see `leading`) returns sum over j < half of weight(j) * expression(tables at (X, j)), where a table at (X, j) is
   * lo + X (hi - lo), lo = T[j], hi = T[j + half], entries beyond the length being 0, and half = 2^(variables-1).
   * weight(j) = outer[j >> innerBits] * inner[j & (2^innerBits - 1)]; a missing outer or inner counts as 1.
   */
  round(
    kernel: Kernel,
    tables: readonly AnyTable[],
    constants: readonly bigint[],
    variables: number,
    points: readonly SumcheckPoint[],
    weights?: { readonly outer?: FrVector; readonly inner?: FrVector; readonly innerBits: number },
  ): Promise<bigint[]>;

  /**
   * Binds the first of `variables` variables to x: out[j] = lo + x (hi - lo), for j < half and j < the table's length, one
   * vector per table.
   */
  fold(tables: readonly AnyTable[], variables: number, x: bigint): FrVector[];

  memory(): DeviceMemory;

  /**
   * Ends worker threads and frees memory. Calls that wait for their turn end with an error, and so does, at its next
   * operation that needs them, the one that has it.
   */
  close(): Promise<void>;
}
