/**
 * What single operations cost on a device, for comparison with the cost model: every result is checked before it is timed.
 */
import { compress, Point } from '../../runtime/curve/spec.ts';
import { FR_MODULUS } from '../../runtime/field/params.ts';
import { createReferenceDevice } from '../../runtime/device/reference.ts';
import type { Device, FrVector, PointVector } from '../../runtime/device/device.ts';
import { add, constant, mul, table } from '../../runtime/kernels/expression.ts';

interface UnitCost {
  readonly name: string;
  /** Nanoseconds for one `unit`: the best of several runs, after some to warm up. */
  readonly nanoseconds: number;
  readonly unit: string;
}

/** Scalars without pattern, the same in every run. */
function scalars(count: number, seed = 1n): bigint[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    let value = 0n;
    for (let word = 0; word < 5; word++) {
      state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
      value = (value << 61n) | (state >> 3n);
    }
    return value % FR_MODULUS;
  });
}

const small = (count: number): Int16Array => Int16Array.from(scalars(count, 7n), (v) => Number(BigInt.asIntN(16, v)));

/** Best of `runs` runs, in nanoseconds, after as many unmeasured ones. */
async function best(device: Device, body: () => Promise<unknown>, runs = 12): Promise<number> {
  let fastest = Infinity;
  for (let i = 0; i < 2 * runs; i++) {
    const start = performance.now();
    await device.scope(body);
    if (i >= runs) fastest = Math.min(fastest, performance.now() - start);
    // Lets the engine install code that it optimised meanwhile.
    if (i % 4 === 3) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return fastest * 1e6;
}

function assertEqual(actual: unknown, expected: unknown, what: string): void {
  const text = (value: unknown) => JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v));
  if (text(actual) !== text(expected)) throw new Error(`${what}: a device gives a wrong result`);
}

const layer = add(add(mul(table(0), table(3)), mul(table(2), table(1))), mul(constant(0), mul(table(1), table(3))));

/** Costs of scalar operations, on vectors of 2^14. */
async function scalarCosts(device: Device): Promise<UnitCost[]> {
  const size = 2 ** 14;
  const out: UnitCost[] = [];
  const measure = async (name: string, count: number, unit: string, body: () => Promise<unknown>) =>
    void out.push({ name, unit, nanoseconds: (await best(device, body)) / count });
  const point = scalars(14);
  const shape = [96, 768, 1] as const;
  await device.scope(async () => {
    const [a, b] = [device.frVector(scalars(size, 2n)), device.frVector(scalars(size, 3n))];
    const half = device.slice(a, 0, size / 2);
    const weights = device.frVector(scalars(shape[1]));
    const integers = device.intVector(small(shape[0] * shape[1]));
    await measure('Fr product and sum (inner)', size, 'product', () => device.inner(a, b));
    await measure('Fr product (fold)', size / 2, 'entry', async () => device.fold([a], 14, point[0]));
    await measure('eq table', size, 'entry', async () => device.eq(point));
    await measure('int16 x Fr (contract)', shape[0] * shape[1], 'product', async () =>
      device.contract(integers, shape, weights),
    );
    const [outer, inner] = [device.eq(point.slice(0, 6)), device.eq(point.slice(6, 12))];
    const tables = [
      half,
      device.slice(b, 0, size / 2),
      device.slice(a, size / 2, size / 2),
      device.slice(b, size / 2, size / 2),
    ];
    const kernel = device.prepare(layer);
    await measure('fraction layer, 2 points (round)', size / 4, 'pair of entries', () =>
      device.round(kernel, tables, [5n], 13, [0, 'inf'], { outer, inner, innerBits: 6 }),
    );
    await measure('smallest round', 1, 'call', () =>
      device.round(
        kernel,
        tables.map((t) => device.slice(t, 0, 2)),
        [5n],
        1,
        [0, 'inf'],
      ),
    );
  });
  return out;
}

async function checkScalars(device: Device): Promise<void> {
  const run = (d: Device) =>
    d.scope(async () => {
      const [a, b] = [d.frVector(scalars(37, 2n)), d.frVector(scalars(37, 3n))];
      const integers = d.intVector(small(21));
      return [
        await d.inner(a, b),
        await d.readFr(d.fold([a], 6, 9n)[0]),
        await d.readFr(d.eq(scalars(4))),
        await d.readFr(d.contract(integers, [3, 7, 1], a)),
        await d.round(d.prepare(layer), [a, b, b, a], [5n], 6, [0, 'inf']),
      ];
    });
  const reference = createReferenceDevice();
  assertEqual(await run(device), await run(reference), 'scalar operations');
  await reference.close();
}

/** Points k G for k = 1, 2, .. with the sum that a multi-scalar multiplication must give. */
async function knownPoints(device: Device, count: number, values: readonly bigint[]) {
  const encoded = new Uint8Array(48 * count);
  let point = Point.ZERO;
  let log = 0n;
  for (let i = 0; i < count; i++) {
    point = point.add(Point.BASE);
    encoded.set(point.toBytes(true), 48 * i);
    log += BigInt(i + 1) * values[i];
  }
  const points = await device.decodePoints(encoded);
  if (!('kind' in points)) throw new Error('a device refuses good points');
  return { points, encoded, sum: compress(Point.BASE.multiply(log % FR_MODULUS)) };
}

/** Costs of operations on points; `sizes` are those of multi-scalar multiplications and commitments. */
async function pointCosts(device: Device, sizes: readonly number[]): Promise<UnitCost[]> {
  const out: UnitCost[] = [];
  const push = (name: string, nanoseconds: number, unit: string) => out.push({ name, nanoseconds, unit });
  await device.scope(async () => {
    for (const size of sizes) {
      const values = scalars(size);
      const v: FrVector = device.frVector(values);
      const { points, encoded, sum } = await knownPoints(device, size, values);
      const parts: { points: PointVector; scalars: FrVector }[] = [{ points, scalars: v }];
      assertEqual([...(await device.msm(parts))], [...sum], `msm of ${size}`);
      push(`multi-scalar multiplication of ${size} points`, await best(device, () => device.msm(parts), 6), 'call');

      await device.prepareGenerators(size);
      const rows = [{ vector: v, offset: 0, length: size, blinding: 5n }];
      const generators = await device.generators(size);
      const same = await device.msm([{ points: generators, scalars: device.frVector([...values, 5n]) }]);
      assertEqual([...(await device.commit(rows))[0]], [...same], `commitment to ${size} scalars`);
      push(`commitment to ${size} field elements`, await best(device, () => device.commit(rows), 6), 'call');

      const integers = device.intVector(small(8 * size));
      const many = Array.from({ length: 8 }, (_, i) => ({
        vector: integers,
        offset: i * size,
        length: size,
        blinding: 5n,
      }));
      push(
        `int16 committed in 8 rows of ${size}`,
        (await best(device, () => device.commit(many), 6)) / (8 * size),
        'value',
      );
      const part = encoded.subarray(0, 48 * Math.min(size, 8));
      push(
        'point decoded and checked',
        (await best(device, () => device.decodePoints(part), 4)) / (part.length / 48),
        'point',
      );
    }
  });
  return out;
}

/** What operations cost on `device`, in nanoseconds, by description. @throws Error when one gives a wrong result. */
export async function unitCosts(
  device: Device,
  sizes: readonly number[] = [128, 256, 1024],
): Promise<Record<string, number>> {
  await checkScalars(device);
  const costs = [...(await scalarCosts(device)), ...(await pointCosts(device, sizes))];
  return Object.fromEntries(costs.map((c) => [`${c.name}, ns per ${c.unit}`, Math.round(c.nanoseconds * 10) / 10]));
}
