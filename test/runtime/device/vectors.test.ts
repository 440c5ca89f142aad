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

  it('multiplies integer matrices exactly', async () => {
    const random = new Random(6);
    const product = (a: bigint[], b: bigint[], [outer, reduce, inner]: readonly [number, number, number]) =>
      Array.from({ length: outer * inner }, (_, t) => {
        const [o, i] = [Math.floor(t / inner), t % inner];
        let sum = 0n;
        for (let d = 0; d < reduce; d++) sum += a[o * reduce + d] * b[d * inner + i];
        return sum;
      });
    for (const shape of [
      [1, 1, 1],
      [3, 17, 5],
      [1, 24, 9],
      [4, 7, 1],
      [2, 8, 3],
    ] as const) {
      const [outer, reduce, inner] = shape;
      const lefts = [random.int16(outer * reduce), random.int32(outer * reduce)];
      const rights = [random.int16(reduce * inner), new Int16Array(reduce * inner).fill(-32768)];
      for (const left of [...lefts, new Int16Array(outer * reduce).fill(-32768)])
        for (const right of rights)
          await device().scope(async () => {
            const out = await device().multiplyIntegers(device().intVector(left), device().intVector(right), shape);
            expect([...out]).toEqual(product(bigints(left), bigints(right), shape));
          });
    }
    await device().scope(async () => {
      const v = device().intVector(new Int16Array(4));
      await expect(device().multiplyIntegers(v, v, [2, 3, 2])).rejects.toThrow(RangeError);
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
