/** Sums of products of two factors on the device: batches of matrix products, exact in 64-bit integers. */
import type { Device, Integers, IntMatrices } from '../../device/device.ts';
import { positions, sizeOf, stepOf, type Loop } from './loops.ts';
import { toDoubles, wordsOf } from '../../integers/arrays.ts';

/** Products below which a device is not worth the way, altogether and for each batch. */
const WORTH = { all: 2 ** 15, batch: 16 };

/** Bytes of a right factor that are on the device at a time, where it comes in pieces. */
const PIECE = 2 ** 23;

/** A batch of matrix products, as positions in both factors and in the result. */
export interface MatrixProduct {
  /** Which factor is the left one. */
  readonly left: 0 | 1;
  readonly batch: Positions;
  readonly outer: Positions;
  readonly reduce: Positions;
  readonly inner: Positions;
}

interface Positions {
  readonly target: Int32Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
}

/** Every loop has to move in a factor. Undefined where host loops are as good. */
export function matrixProduct(loops: readonly Loop[]): MatrixProduct | undefined {
  const of = (target: boolean, first: boolean, second: boolean): Loop[] =>
    loops.filter((l) => l.target > 0 === target && l.factors[0] > 0 === first && l.factors[1] > 0 === second);
  const [batch, reduce] = [of(true, true, true), of(false, true, true)];
  const own = [of(true, true, false), of(true, false, true)] as const;
  const count = sizeOf(loops);
  if (of(false, true, false).length + of(false, false, true).length > 0) return undefined;
  if (count < WORTH.all || count < WORTH.batch * sizeOf(batch)) return undefined;
  const left = sizeOf(own[0]) <= sizeOf(own[1]) ? 0 : 1;
  const along = (list: readonly Loop[]): Positions => ({
    target: positions(
      list,
      list.map((l) => l.target),
    ),
    left: positions(
      list,
      list.map((l) => l.factors[left]),
    ),
    right: positions(
      list,
      list.map((l) => l.factors[1 - left]),
    ),
  });
  return { left, batch: along(batch), outer: along(own[left]), reduce: along(reduce), inner: along(own[1 - left]) };
}

/**
 * The result, row-major over the loops that move in the target. The sums of magnitudes have to be below 2^63; `small`: below
 * 2^53.
 */
export async function multiply(
  device: Device,
  { left, batch, outer, reduce, inner }: MatrixProduct,
  factors: readonly [Integers, Integers],
  small: boolean,
): Promise<Float64Array | BigInt64Array> {
  const [batches, rows, depth, columns] = [batch, outer, reduce, inner].map((p) => p.target.length);
  const length = batches * rows * columns;
  const lefts = placed(factors[left], [batch.left, outer.left, reduce.left]);
  const rights = placed(factors[1 - left], [batch.right, reduce.right, inner.right]);
  const at = (first: number): Positions => ({ ...inner, target: inner.target.subarray(first) });
  const step = piece(rights, batches, depth, columns);
  let whole: Float64Array | BigInt64Array | undefined;
  await device.scope(async () => {
    const own: IntMatrices = { ...lefts, vector: device.intVector(lefts.values), offset: 0 };
    for (let from = 0; from < columns; from += step) {
      const count = Math.min(step, columns - from);
      const start = from * rights.strides[2];
      await device.scope(async () => {
        const values =
          step === columns ? rights.values : rights.values.subarray(start, start + count * rights.strides[2]);
        const other: IntMatrices = { ...rights, vector: device.intVector(values), offset: 0 };
        const out = await device.multiplyIntegers(own, other, [batches, rows, depth, count]);
        const part = small ? toDoubles(out) : out;
        if (count === columns && inPlace(batch, outer, inner)) whole = part;
        else
          scatter(
            part,
            (whole ??= small ? new Float64Array(length) : new BigInt64Array(length)),
            batch,
            outer,
            at(from),
            count,
          );
      });
    }
  });
  return whole ?? new Float64Array(length);
}

interface Placed {
  readonly values: Integers;
  readonly strides: readonly [number, number, number];
}

/** A factor as it lies, where its indices have strides, or in order. */
function placed(values: Integers, [a, b, c]: readonly [Int32Array, Int32Array, Int32Array]): Placed {
  const [x, y, z] = [a, b, c].map(stepOf);
  if (x !== undefined && y !== undefined && z !== undefined) return { values, strides: [x, y, z] };
  // One constructor or another: of the same kind as the values.
  const out = new (values.constructor as Int16ArrayConstructor)(a.length * b.length * c.length);
  let n = 0;
  for (const i of a)
    for (const j of b) for (let k = 0; k < c.length; k++) out[n++] = (values as Int16Array)[i + j + c[k]];
  return { values: out, strides: [b.length * c.length, c.length, 1] };
}

/** How many columns of the right factor are multiplied at a time: all, unless they are large and follow each other. */
function piece({ values, strides }: Placed, batches: number, depth: number, columns: number): number {
  const [b, d, i] = strides;
  const apart = i > (batches - 1) * b + (depth - 1) * d;
  if (!apart || values.byteLength <= PIECE) return columns;
  return Math.min(columns, Math.max(1, Math.floor(PIECE / (i * values.BYTES_PER_ELEMENT))));
}

const inPlace = (batch: Positions, outer: Positions, inner: Positions): boolean => {
  const dense = (p: Positions, step: number): boolean => p.target.length === 1 || stepOf(p.target) === step;
  const [rows, columns] = [outer.target.length, inner.target.length];
  return dense(inner, 1) && dense(outer, columns) && dense(batch, rows * columns);
};

/** From order batch, outer, inner to where the positions say. */
function scatter(
  from: Float64Array | BigInt64Array,
  to: Float64Array | BigInt64Array,
  batch: Positions,
  outer: Positions,
  inner: Positions,
  columns: number,
): void {
  // Words of 64-bit integers, two to an entry.
  const wide = from instanceof BigInt64Array && to instanceof BigInt64Array;
  const [source, target] = wide ? [wordsOf(from), wordsOf(to)] : [from as Float64Array, to as Float64Array];
  const width = wide ? 2 : 1;
  let n = 0;
  for (const b of batch.target)
    for (const o of outer.target)
      for (let i = 0; i < columns; i++) {
        const at = width * (b + o + inner.target[i]);
        for (let w = 0; w < width; w++) target[at + w] = source[n++];
      }
}
