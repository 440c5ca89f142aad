import { expect, it } from 'vitest';
import { FR_MODULUS } from '../../../runtime/field/params.ts';
import type { Integers } from '../../../runtime/device/device.ts';
import { describeDevices, EDGES, mod, Random } from './devices.ts';

const LENGTHS = [1, 2, 7, 63, 64, 65, 127];
const bigints = (values: Integers): bigint[] => Array.from(values as ArrayLike<bigint | number>, BigInt);

describeDevices('vectors', (device) => {
  it('reads back what was written', async () => {
    const random = new Random(1);
    for (const values of [[], [...EDGES], ...LENGTHS.map((n) => random.frs(n)), random.frs(5000)])
      await device().scope(async () => expect(await device().readFr(device().frVector(values))).toEqual(values));
  });

  it('refuses what is no field element', async () => {
    await device().scope(async () => {
      expect(() => device().frVector([1n, FR_MODULUS])).toThrow(/entry 1/);
      expect(() => device().frVector([-1n])).toThrow(RangeError);
    });
  });

  it('lifts signed integers', async () => {
    const random = new Random(2);
    for (const n of LENGTHS)
      for (const values of [random.int16(n), random.int32(n), random.int64(n)])
        await device().scope(async () =>
          expect(await device().readFr(device().lift(device().intVector(values)))).toEqual(bigints(values).map(mod)),
        );
  });

  it('makes eq tables, whole and cut short', async () => {
    const random = new Random(3);
    for (let k = 0; k <= 6; k++) {
      const point = random.frs(k);
      const whole = Array.from({ length: 2 ** k }, (_, i) =>
        mod(point.reduce((p, x, j) => mod(p * (((i >> (k - 1 - j)) & 1) === 1 ? x : 1n - x)), 1n)),
      );
      for (const length of new Set(
        [0, 1, 2 ** k, 2 ** k - 1, 2 ** (k - 1) + 1].filter((n) => n <= 2 ** k && n % 1 === 0),
      ))
        await device().scope(async () =>
          expect(await device().readFr(device().eq(point, length))).toEqual(whole.slice(0, length)),
        );
    }
    expect(() => device().eq([1n], 3)).toThrow(RangeError);
  });

  it('gathers, with zeros for negative indices', async () => {
    const random = new Random(4);
    const values = random.frs(37);
    const index = Int32Array.from({ length: 53 }, () => random.below(38) - 1);
    const expected = [...index].map((i) => (i < 0 ? 0n : values[i]));
    await device().scope(async () => {
      expect(await device().readFr(device().gather(device().frVector(values), index))).toEqual(expected);
      for (const integers of [random.int16(37), random.int32(37), random.int64(37)]) {
        const gathered = device().gather(device().intVector(integers), index);
        expect(gathered.bytes).toBe(integers.BYTES_PER_ELEMENT);
        const picked = [...index].map((i) => (i < 0 ? 0n : mod(BigInt(integers[i]))));
        expect(await device().readFr(device().lift(gathered))).toEqual(picked);
      }
      expect(() => device().gather(device().frVector(values), new Int32Array([37]))).toThrow(/index 37/);
    });
  });

  it('slices without copying the meaning', async () => {
    const random = new Random(5);
    const [values, integers] = [random.frs(20), random.int32(20)];
    await device().scope(async () => {
      const [v, w] = [device().frVector(values), device().intVector(integers)];
      for (const [offset, length] of [
        [0, 20],
        [1, 7],
        [19, 1],
        [20, 0],
      ] as const) {
        expect(await device().readFr(device().slice(v, offset, length))).toEqual(values.slice(offset, offset + length));
        const part = device().lift(device().slice(device().slice(w, offset, length), 0, length));
        expect(await device().readFr(part)).toEqual(bigints(integers.slice(offset, offset + length)).map(mod));
      }
      expect(() => device().slice(v, 15, 6)).toThrow(RangeError);
      expect(() => device().slice(v, -1, 2)).toThrow(RangeError);
    });
  });

  it('counts values', async () => {
    await device().scope(async () => {
      for (const values of [
        new Int16Array([3, -2, 3, 0]),
        new Int32Array([3, -2, 3, 0]),
        new BigInt64Array([3n, -2n, 3n, 0n]),
      ])
        expect([...(await device().histogram(device().intVector(values), -2, 6))]).toEqual([1, 0, 1, 0, 0, 2]);
      const out = (values: Integers) => device().histogram(device().intVector(values), 0, 4);
      await expect(out(new Int16Array([0, 4]))).rejects.toThrow(/entry 1 has the value 4/);
      await expect(out(new BigInt64Array([2n ** 32n]))).rejects.toThrow(/4294967296/);
      await expect(out(new Int16Array([-1]))).rejects.toThrow(RangeError);
    });
  });

  it('multiplies batches of integer matrices exactly, wherever their entries lie', { timeout: 60_000 }, async () => {
    const random = new Random(6);
    const shapes = [
      [1, 1, 1, 1],
      [1, 3, 17, 5],
      [2, 1, 24, 9],
      [3, 4, 7, 1],
      [2, 2, 8, 33],
      [1, 5, 258, 3],
      [0, 1, 2, 3],
      [2, 3, 0, 2],
    ] as const;
    // Bits of either side's entries: what 64-bit sums hold, digits that are not all needed, and sums over several digits.
    const widths = [
      [16, 16],
      [16, 32],
      [17, 20],
      [15, 44],
      [33, 16],
      [44, 10],
    ] as const;
    for (const shape of shapes)
      for (const bits of widths) {
        const [left, right] = [0, 1].map((side) => randomMatrices(random, bits[side], sideShape(shape, side)));
        await device().scope(async () => {
          const [a, b] = [left, right].map(({ values, ...rest }) => ({ ...rest, vector: device().intVector(values) }));
          const out = await device().multiplyIntegers(a, b, shape);
          expect([...out], `${shape.join()} of ${bits.join()} bits`).toEqual(products(left, right, shape));
        });
      }
  });

  it('multiplies the largest integers of 16, 32 and 64 bits', async () => {
    const shape = [1, 3, 18, 10] as const;
    const fill = (bytes: 2 | 4, v: number) => (n: number) =>
      (bytes === 2 ? new Int16Array(n) : new Int32Array(n)).fill(v);
    const wide = (v: bigint) => (n: number) => new BigInt64Array(n).fill(v);
    const ends = [
      fill(2, -(2 ** 15)),
      fill(2, 2 ** 15 - 1),
      fill(4, -(2 ** 15)),
      fill(4, 2 ** 15),
      fill(4, -(2 ** 31)),
    ];
    const pairs: [(n: number) => Integers, (n: number) => Integers][] = ends
      .flatMap((a) => ends.map((b) => [a, b] as const))
      .map(([a, b]) => [a, b]);
    pairs.push(
      [wide(-(2n ** 58n)), fill(2, 1)],
      [fill(2, -1), wide(2n ** 58n - 1n)],
      [wide(2n ** 31n), fill(4, 2 ** 27)],
    );
    for (const [a, b] of pairs) {
      const [left, right] = [a, b].map((make, side) => dense(make, sideShape(shape, side)));
      if (products(left, right, shape).some((v) => v !== BigInt.asIntN(64, v))) continue;
      await device().scope(async () => {
        const [x, y] = [left, right].map(({ values, ...rest }) => ({ ...rest, vector: device().intVector(values) }));
        expect([...(await device().multiplyIntegers(x, y, shape))]).toEqual(products(left, right, shape));
      });
    }
  });

  it('multiplies batches of real matrices, wherever their entries lie', async () => {
    const multiply = device().multiplyReals?.bind(device());
    if (multiply === undefined) return;
    const random = new Random(11);
    for (const shape of [
      [1, 1, 1, 1],
      [1, 3, 17, 5],
      [2, 5, 24, 9],
      [3, 4, 7, 1],
      [2, 2, 300, 17],
      [0, 1, 2, 3],
      [2, 3, 0, 2],
    ] as const) {
      const sides = [0, 1].map((side) => {
        const { values, ...rest } = randomMatrices(random, 16, sideShape(shape, side));
        // Of single precision on one side in turn with double, and so that sums of products are exact in doubles.
        const single = random.below(2) === 0;
        return {
          ...rest,
          integers: values,
          values: single ? Float32Array.from(values, Number) : Float64Array.from(values, Number),
        };
      });
      const expected = products(
        ...(sides.map(({ integers: values, offset, strides }) => ({ values, offset, strides })) as [
          Matrices,
          Matrices,
        ]),
        shape,
      );
      expect([...(await multiply(sides[0], sides[1], shape))], shape.join()).toEqual(expected.map(Number));
    }
    const six = { values: new Float32Array(6), offset: 1, strides: [0, 3, 1] as const };
    await expect(multiply(six, six, [1, 2, 3, 2])).rejects.toThrow(
      /multiplyReals: left matrices of shape \[1, 2, 3\] at 1/,
    );
  });

  it('refuses matrices that reach beyond their vector', async () => {
    await device().scope(async () => {
      const vector = device().intVector(new Int16Array(6));
      const product = (offset: number, strides: readonly [number, number, number]) =>
        device().multiplyIntegers({ vector, offset, strides }, { vector, offset: 0, strides: [0, 2, 1] }, [1, 2, 3, 2]);
      await expect(product(0, [0, 3, 1])).resolves.toHaveLength(4);
      await expect(product(1, [0, 3, 1])).rejects.toThrow(/left matrices of shape \[1, 2, 3\] at 1/);
      await expect(product(0, [0, 1, 3])).rejects.toThrow(RangeError);
      await expect(product(-1, [0, 3, 1])).rejects.toThrow(RangeError);
    });
  });

  it('frees vectors with their scope, and keeps what is kept', async () => {
    const kept = await device().keep(async () => device().frVector([5n]));
    const lost = await device().scope(async () => {
      expect(await device().readFr(kept.value)).toEqual([5n]);
      return device().frVector([6n]);
    });
    await expect(device().readFr(lost)).rejects.toThrow(/freed/);
    // Whatever reuses the memory of `lost` leaves what was kept alone.
    await device().scope(async () => void device().frVector([7n, 8n]));
    expect(await device().readFr(kept.value)).toEqual([5n]);
    kept.release();
    await expect(device().readFr(kept.value)).rejects.toThrow(/freed/);
  });

  it('frees vectors when the body throws', async () => {
    let lost: ReturnType<ReturnType<typeof device>['frVector']> | undefined;
    const body = async () => {
      lost = device().frVector([1n]);
      throw new Error('body');
    };
    await expect(device().scope(body)).rejects.toThrow('body');
    await expect(device().readFr(lost!)).rejects.toThrow(/freed/);
  });
});

interface Matrices {
  readonly values: Integers;
  readonly offset: number;
  readonly strides: readonly [number, number, number];
}

type ProductShape = readonly [batch: number, outer: number, reduce: number, inner: number];

const sideShape = ([batch, outer, reduce, inner]: ProductShape, side: number): [number, number, number] =>
  side === 0 ? [batch, outer, reduce] : [batch, reduce, inner];

/** Entries in row-major order. */
function dense(
  make: (length: number) => Integers,
  [batch, rows, columns]: readonly [number, number, number],
): Matrices {
  return { values: make(batch * rows * columns), offset: 0, strides: [rows * columns, columns, 1] };
}

/** Axes in any order, with gaps between their steps; a batch may be one matrix. */
function randomMatrices(random: Random, bits: number, shape: readonly [number, number, number]): Matrices {
  const strides: [number, number, number] = [0, 0, 0];
  let step = 1;
  const order = [0, 1, 2].map((axis) => [random.word(), axis] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [, axis] of order) {
    strides[axis] = step;
    step = step * Math.max(1, shape[axis]) + random.below(2);
  }
  if (random.below(3) === 0) strides[0] = 0;
  const offset = random.below(4);
  const length = offset + step;
  const storage = [16, 32, 64].filter((n) => n >= bits);
  const all = Array.from({ length }, () => random.integer(bits));
  const width = storage[random.below(storage.length)];
  const values =
    width === 16 ? Int16Array.from(all, Number) : width === 32 ? Int32Array.from(all, Number) : BigInt64Array.from(all);
  return { values, offset, strides };
}

function products(left: Matrices, right: Matrices, [batch, outer, reduce, inner]: ProductShape): bigint[] {
  const entry = ({ values, offset, strides }: Matrices, index: readonly number[]): bigint =>
    BigInt(values[offset + index.reduce((n, i, axis) => n + i * strides[axis], 0)]);
  return Array.from({ length: batch * outer * inner }, (_, t) => {
    const [b, o, i] = [Math.floor(t / inner / outer), Math.floor(t / inner) % outer, t % inner];
    let sum = 0n;
    for (let d = 0; d < reduce; d++) sum += entry(left, [b, o, d]) * entry(right, [b, d, i]);
    return sum;
  });
}
