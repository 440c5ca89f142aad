/**
 * Sums of many multiples of points by size and width of the scalars: multi-scalar multiplications, and commitments in rows
 * of up to 8192 columns. Every result is checked before it is timed.
 */
import { compress, Point } from '../../runtime/curve/spec.ts';
import type { Device, PointVector } from '../../runtime/device/device.ts';
import { FR_MODULUS } from '../../runtime/field/params.ts';
import { multiplesOfBase } from './points.ts';

export interface SumCost {
  /** Scalars of the sum. */
  readonly size: number;
  readonly bits: 8 | 16 | 255;
  readonly form: 'msm' | 'rows';
  /** Best of several runs. */
  readonly milliseconds: number;
}

const WIDTHS = [8, 16, 255] as const;
/** Points that differ; larger sums use them again, and on a device every use reads them from memory. */
const DISTINCT = 2 ** 20;
/** Columns of rows. */
const COLUMNS = 2 ** 13;

/** Numbers without pattern, the same in every run. */
function* numbers(seed: bigint): Generator<bigint> {
  for (let state = seed; ;) {
    let value = 0n;
    for (let word = 0; word < 5; word++) {
      state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
      value = (value << 61n) | (state >> 3n);
    }
    yield value;
  }
}

/** G, 2 G, 3 G, ... */
async function ladder(device: Device, count: number): Promise<PointVector> {
  const points = await device.decodePoints(multiplesOfBase(count));
  if (!('kind' in points)) throw new Error('a device refuses good points');
  return points;
}

async function best(runs: number, body: () => Promise<unknown>): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < runs; i++) {
    const since = performance.now();
    await body();
    least = Math.min(least, performance.now() - since);
  }
  return least;
}

/** @throws Error when a sum is wrong */
export async function sumCosts(device: Device, sizes: readonly number[], runs = 5): Promise<SumCost[]> {
  const out: SumCost[] = [];
  const distinct = Math.min(DISTINCT, Math.max(...sizes));
  const columns = Math.min(COLUMNS, Math.max(...sizes));
  await device.prepareGenerators(columns);
  await device.scope(async () => {
    const points = await ladder(device, distinct);
    for (const size of sizes)
      for (const bits of WIDTHS)
        await device.scope(async () => {
          const source = numbers(BigInt(bits));
          const values = Array.from({ length: size }, () => {
            const v = source.next().value as bigint;
            return bits === 255 ? v % FR_MODULUS : BigInt.asIntN(bits, v >> 40n);
          });
          const integers = bits === 255 ? undefined : device.intVector(Int16Array.from(values, Number));
          const scalars = integers ? device.lift(integers) : device.frVector(values);
          const parts = Array.from({ length: Math.ceil(size / distinct) }, (_, k) => ({
            points,
            scalars: device.slice(scalars, k * distinct, Math.min(distinct, size - k * distinct)),
          }));
          const log = values.reduce((sum, v, i) => sum + v * BigInt((i % distinct) + 1), 0n);
          const expected = compress(Point.BASE.multiplyUnsafe(((log % FR_MODULUS) + FR_MODULUS) % FR_MODULUS));
          const sum = await device.msm(parts);
          if (sum.some((byte, i) => byte !== expected[i])) throw new Error(`a sum of ${size} is wrong`);
          out.push({ size, bits, form: 'msm', milliseconds: await best(runs, () => device.msm(parts)) });

          const vector = integers ?? scalars;
          const rows = Array.from({ length: Math.ceil(size / columns) }, (_, k) => ({
            vector,
            offset: k * columns,
            length: Math.min(columns, size - k * columns),
            blinding: BigInt(k + 1),
          }));
          const committed = await device.commit(rows);
          const first = values.slice(0, rows[0].length).map((v) => ((v % FR_MODULUS) + FR_MODULUS) % FR_MODULUS);
          const generators = await device.generators(rows[0].length);
          const same = await device.msm([{ points: generators, scalars: device.frVector([...first, 1n]) }]);
          if (committed[0].some((byte, i) => byte !== same[i])) throw new Error(`a commitment to ${size} is wrong`);
          out.push({ size, bits, form: 'rows', milliseconds: await best(runs, () => device.commit(rows)) });
        });
  });
  return out;
}
