/** Matrix products on a device: exact in 64-bit integers, or in float64. */
import type { Device, Integers, IntMatrices } from '../../device/device.ts';
import { toDoubles, toEntries } from '../../integers/arrays.ts';
import { isExact, type Factor, type FactorArray, type SmallArray } from './factors.ts';
import { multiplyOnHost } from './host.ts';
import { stepOf } from './loops.ts';
import type { MatrixProduct, Product } from './products.ts';

/** Bytes of a right factor that are on the device at a time, where it comes in pieces. */
const PIECE = 2 ** 23;

/** Of integers, the sums of magnitudes have to be below 2^63. */
export async function multiplyOnDevice(device: Device, product: MatrixProduct): Promise<Product> {
  const { left, right, shape, leftAt, rightAt, bound } = product;
  const [batches, rows, depth, columns] = shape;
  if (bound === undefined)
    return device.multiplyReals === undefined
      ? multiplyOnHost(product)
      : device.multiplyReals(placedReals(left, leftAt), placedReals(right, rightAt), shape);
  const small = isExact(bound);
  const lefts = placed(left, leftAt, (values) => integersOf(values, left.bound ?? 0n));
  const rights = placed(right, rightAt, (values) => integersOf(values, right.bound ?? 0n));
  const step = pieceOf(rights, batches, depth, columns);
  let whole: Product | undefined;
  await device.scope(async () => {
    const own: IntMatrices = { ...lefts, vector: device.intVector(lefts.values) };
    for (let from = 0; from < columns; from += step) {
      const count = Math.min(step, columns - from);
      await device.scope(async () => {
        const other = intMatrices(device, rights, from, count, step === columns);
        const out = await device.multiplyIntegers(own, other, [batches, rows, depth, count]);
        const part = small ? toDoubles(out) : out;
        if (count === columns) whole = part;
        else {
          const length = batches * rows * columns;
          whole ??= small ? new Float64Array(length) : new BigInt64Array(length);
          for (let r = 0; r < batches * rows; r++)
            whole.set(part.subarray(r * count, (r + 1) * count) as never, r * columns + from);
        }
      });
    }
  });
  return whole ?? new Float64Array(0);
}

interface Placed<T> {
  readonly values: T;
  readonly offset: number;
  readonly strides: readonly [number, number, number];
}

type Positions = readonly [Int32Array, Int32Array, Int32Array];

const placedReals = (factor: Factor, at: Positions): Placed<Float32Array | Float64Array> =>
  placed(factor, at, (values) =>
    values instanceof Float32Array || values instanceof Float64Array ? values : Float64Array.from(values as SmallArray),
  );

/** A factor as it lies, where its indices have strides that do not go back, or in order. */
function placed<T extends Integers | Float32Array | Float64Array>(
  { values: given, base }: Factor,
  at: Positions,
  convert: (values: FactorArray) => T,
): Placed<T> {
  const values = convert(given);
  const [x, y, z] = at.map(stepOf);
  if (x !== undefined && y !== undefined && z !== undefined && x >= 0 && y >= 0 && z >= 0)
    return { values, offset: base, strides: [x, y, z] };
  const [a, b, c] = at;
  // One constructor or another: of the same kind as the values.
  const out = new (values.constructor as Int16ArrayConstructor)(a.length * b.length * c.length) as T;
  let n = 0;
  for (const i of a) for (const j of b) for (let k = 0; k < c.length; k++) out[n++] = values[base + i + j + c[k]];
  return { values: out, offset: 0, strides: [b.length * c.length, c.length, 1] };
}

/** What a device takes: integers as they are, doubles as narrow as the bound allows. */
function integersOf(values: FactorArray, bound: bigint): Integers {
  if (values instanceof Int16Array || values instanceof Int32Array || values instanceof BigInt64Array) return values;
  if (Array.isArray(values)) throw new Error('internal error: bigints have no place on a device');
  const doubles = values instanceof Float64Array ? values : Float64Array.from(values);
  return toEntries(doubles, { lo: -bound, hi: bound }) as Integers;
}

/** How many columns of the right factor are multiplied at a time: all, unless they are large and follow each other. */
function pieceOf(
  { values, strides: [b, d, i] }: Placed<Integers>,
  batches: number,
  depth: number,
  columns: number,
): number {
  const apart = i > (batches - 1) * b + (depth - 1) * d;
  if (!apart || values.byteLength <= PIECE) return columns;
  return Math.min(columns, Math.max(1, Math.floor(PIECE / (i * values.BYTES_PER_ELEMENT))));
}

function intMatrices(
  device: Device,
  { values, offset, strides }: Placed<Integers>,
  from: number,
  count: number,
  all: boolean,
): IntMatrices {
  if (all) return { vector: device.intVector(values), offset, strides };
  const start = offset + from * strides[2];
  return { vector: device.intVector(values.subarray(start, start + count * strides[2])), offset: 0, strides };
}
