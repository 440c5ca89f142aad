import { expect, it } from 'vitest';
import { hashGenerator, blindingGenerator } from '../../../runtime/curve/generators.ts';
import { compress, fromAffineBytes, Point } from '../../../runtime/curve/spec.ts';
import { FQ_MODULUS, FR_MODULUS } from '../../../runtime/field/params.ts';
import { Fq } from '../../../runtime/field/spec.ts';
import type { CommitRow, Device, PointVector } from '../../../runtime/device/device.ts';
import { createWasmDevice } from '../../../runtime/device/wasm/index.ts';
import { describeDevices, EDGES, hex, mod, Random } from './devices.ts';

/** k times the standard generator; an oracle for sums of multiples of such points needs one multiplication. */
const multiple = (k: bigint): Point => (mod(k) === 0n ? Point.ZERO : Point.BASE.multiplyUnsafe(mod(k)));

async function decode(device: Device, points: readonly Uint8Array[]): Promise<PointVector> {
  const decoded = await device.decodePoints(Uint8Array.from(points.flatMap((bytes) => [...bytes])));
  if (!('kind' in decoded)) throw new Error(`point ${decoded.bad}: ${decoded.reason}`);
  return decoded;
}

const H = fromAffineBytes(blindingGenerator());
const generators = Array.from({ length: 40 }, (_, i) => fromAffineBytes(hashGenerator(i)));

function commitment(values: readonly bigint[], blinding: bigint): string {
  const scaled = values.map((v, i) => (mod(v) === 0n ? Point.ZERO : generators[i].multiplyUnsafe(mod(v))));
  const hiding = blinding === 0n ? Point.ZERO : H.multiplyUnsafe(blinding);
  return hex(compress(scaled.reduce((a, b) => a.add(b), hiding)));
}

describeDevices('points', (device, name) => {
  it('sums multiples, whatever points and scalars meet', async () => {
    const random = new Random(21);
    const n = 24;
    const logs = Array.from({ length: n }, () => random.fr());
    const maximal = FR_MODULUS - 1n;
    const scalarShapes: readonly (readonly bigint[])[] = [
      random.frs(n),
      Array.from({ length: n }, () => 0n),
      Array.from({ length: n }, () => 1n),
      Array.from({ length: n }, () => maximal),
      Array.from({ length: n }, () => 0xdeadbeefn),
      Array.from({ length: n }, (_, i) => (i === 5 ? 77n : 0n)),
      Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 1n : maximal)),
      Array.from({ length: n }, (_, i) => EDGES[i % EDGES.length]),
      [3n],
    ];
    const same = Array.from({ length: n }, () => 12345n);
    const pointShapes: readonly (readonly bigint[])[] = [
      logs,
      same,
      same.map((k, i) => (i % 2 === 0 ? k : -k)),
      logs.map((k, i) => (i % 3 === 0 ? 0n : k)),
      Array.from({ length: n }, () => 0n),
      Array.from({ length: n }, (_, i) => BigInt(i - 12)),
    ];
    for (const points of pointShapes) {
      const encoded = points.map((k) => compress(multiple(k)));
      await device().scope(async () => {
        const vector = await decode(device(), encoded);
        for (const scalars of scalarShapes) {
          const out = await device().msm([{ points: vector, scalars: device().frVector(scalars) }]);
          const log = scalars.reduce((sum, s, i) => sum + s * points[i], 0n);
          expect(hex(out)).toBe(hex(compress(multiple(log))));
        }
      });
    }
  });

  it('sums over several parts, of any length', async () => {
    const random = new Random(22);
    for (const sizes of name === 'reference'
      ? [[], [0], [1], [3, 0, 5]]
      : [[], [0], [1], [3, 0, 5], [130, 67], [600]]) {
      let log = 0n;
      await device().scope(async () => {
        const parts = [];
        for (const size of sizes) {
          const logs = Array.from({ length: size }, (_, i) => BigInt(i * i + 1));
          let point = Point.ZERO;
          const encoded: Uint8Array[] = [];
          // i^2 + 1 by differences: one addition for each point.
          for (let i = 0, step = Point.BASE, two = Point.BASE.double(); i < size; i++) {
            point = i === 0 ? Point.BASE : point.add(step);
            if (i > 0) step = step.add(two);
            encoded.push(point.toBytes());
          }
          const scalars = random.frs(size);
          log += scalars.reduce((sum, s, i) => sum + s * logs[i], 0n);
          parts.push({ points: await decode(device(), encoded), scalars: device().frVector(scalars) });
        }
        expect(hex(await device().msm(parts))).toBe(hex(compress(multiple(log))));
      });
    }
  });

  it('gives the generators, H last', async () => {
    await device().scope(async () => {
      for (const count of [0, 1, 7]) {
        const points = await device().generators(count);
        expect(points.length).toBe(count + 1);
        const last = device().frVector([...Array.from({ length: count }, () => 0n), 1n]);
        expect(hex(await device().msm([{ points, scalars: last }]))).toBe(hex(compress(H)));
        if (count === 0) continue;
        const first = device().frVector([1n]);
        expect(hex(await device().msm([{ points, scalars: first }]))).toBe(hex(compress(generators[0])));
      }
      const points = await device().generators(1);
      await expect(device().msm([{ points, scalars: device().frVector([1n, 2n, 3n]) }])).rejects.toThrow(/3 scalars/);
    });
  });

  it('commits rows of every kind', async () => {
    const random = new Random(23);
    const [fr, small, medium, large] = [random.frs(40), random.int16(40), random.int32(12), random.int64(9)];
    const edges = new Int16Array([0, 1, -1, 127, 128, 129, -127, -128, -129, 255, 256, 32767, -32768, -32640]);
    await device().scope(async () => {
      const row = (vector: CommitRow['vector'], offset: number, length: number, blinding: bigint) => ({
        vector,
        offset,
        length,
        blinding,
      });
      const [f, s, m, l, e] = [
        device().frVector(fr),
        device().intVector(small),
        device().intVector(medium),
        device().intVector(large),
        device().intVector(edges),
      ] as const;
      const zeros = device().frVector([0n, 0n, 0n]);
      const rows = [
        row(f, 0, 40, random.fr()),
        row(f, 3, 21, 0n),
        row(s, 0, 40, FR_MODULUS - 1n),
        row(e, 0, edges.length, 1n),
        row(m, 1, 11, random.fr()),
        row(l, 0, 9, random.fr()),
        row(zeros, 0, 3, 0n),
        row(f, 40, 0, 5n),
      ];
      const ints = (values: ArrayLike<number | bigint>) => Array.from(values, BigInt);
      const values = [fr, fr.slice(3, 24), ints(small), ints(edges), ints(medium).slice(1), ints(large), [], []];
      const out = await device().commit(rows);
      expect(out.map(hex)).toEqual(rows.map((r, i) => commitment(values[i], r.blinding)));
      expect(await device().commit([])).toEqual([]);
      await expect(device().commit([row(f, 30, 11, 1n)])).rejects.toThrow(RangeError);
      await expect(device().commit([row(f, 0, 1, FR_MODULUS)])).rejects.toThrow(RangeError);
    });
  });

  it('commits the same after more generators were prepared', async () => {
    await device().scope(async () => {
      const v = device().frVector([5n, 6n]);
      const rows = [{ vector: v, offset: 0, length: 2, blinding: 7n }];
      const before = await device().commit(rows);
      await device().prepareGenerators(50);
      expect(await device().commit(rows)).toEqual(before);
      expect(hex(before[0])).toBe(commitment([5n, 6n], 7n));
    });
  });

  it('decodes points and finds the first bad one', async () => {
    const good = compress(multiple(99n));
    const infinity = compress(Point.ZERO);
    const edit = (change: (bytes: Uint8Array) => void, from = good) => {
      const bytes = from.slice();
      change(bytes);
      return bytes;
    };
    const encode = (x: bigint, flags: number) =>
      edit((bytes) => {
        for (let i = 0; i < 48; i++) bytes[i] = Number((x >> BigInt(8 * (47 - i))) & 255n);
        bytes[0] |= flags;
      });
    const onCurve = (x: bigint) => {
      const square = Fq.add(Fq.pow(x, 3n), 4n);
      return Fq.pow(square, (FQ_MODULUS - 1n) / 2n) === 1n;
    };
    const find = (accept: (x: bigint) => boolean) => {
      for (let x = 1n; ; x++) if (accept(x)) return x;
    };
    const outside = find((x) => onCurve(x));
    const off = find((x) => !onCurve(x));
    // A point of order 3: (0, 2), where 4 = 2^2.
    const bad: readonly (readonly [Uint8Array, string])[] = [
      [edit((bytes) => (bytes[0] &= 0x7f)), 'encoding'],
      [edit((bytes) => (bytes[0] |= 0x40)), 'encoding'],
      [edit((bytes) => (bytes[47] = 1), infinity), 'encoding'],
      [edit((bytes) => (bytes[0] |= 0x20), infinity), 'encoding'],
      [encode(FQ_MODULUS, 0x80), 'encoding'],
      [encode(FQ_MODULUS + 1n, 0x80), 'encoding'],
      [encode((1n << 381n) - 1n, 0x80), 'encoding'],
      [encode(off, 0x80), 'curve'],
      [encode(outside, 0x80), 'subgroup'],
      [encode(0n, 0x80), 'subgroup'],
      [encode(0n, 0xa0), 'subgroup'],
    ];
    const run = (points: readonly Uint8Array[]) =>
      device().scope(async () => device().decodePoints(Uint8Array.from(points.flatMap((bytes) => [...bytes]))));
    for (const [bytes, reason] of bad) {
      expect(await run([bytes])).toEqual({ bad: 0, reason });
      expect(await run([good, infinity, bytes, good])).toEqual({ bad: 2, reason });
    }
    expect(await run([good, bad[7][0], bad[0][0]])).toEqual({ bad: 1, reason: 'curve' });
    expect(await run([good, good.subarray(0, 47)])).toEqual({ bad: 1, reason: 'encoding' });
    expect(await run([])).toMatchObject({ kind: 'points', length: 0 });

    // Buffers, whose slices are views, are left as they were.
    const buffer = Buffer.from(good);
    await device().scope(async () =>
      expect(await device().decodePoints(buffer)).toMatchObject({ kind: 'points', length: 1 }),
    );
    expect(hex(buffer)).toBe(hex(good));

    // Both signs of y survive the round trip.
    const points = [99n, -99n, 1n, -1n, 0n, 12345678901234567890n].map((k) => compress(multiple(k)));
    await device().scope(async () => {
      const vector = await decode(device(), points);
      for (const [i, bytes] of points.entries()) {
        const unit = device().frVector(points.map((_, k) => (k === i ? 1n : 0n)));
        expect(hex(await device().msm([{ points: vector, scalars: unit }]))).toBe(hex(bytes));
      }
    });
  });
});

it.each([1, 4])('commits rows of few columns without tables, on %i threads', async (threads) => {
  // Every digit of an element has a set of buckets of its own, so that a thread may have fewer entries than sets.
  const device = await createWasmDevice({ threads, tableColumns: 0, waitForThreads: true });
  const random = new Random(25);
  await device.scope(async () => {
    // The long row shows whether anything was written where generators are.
    for (const length of [1, 2, 3, 4, 7, 12, 20, 40])
      for (const count of length < 8 ? [1, 2, 7] : [2]) {
        const values = Array.from({ length: count }, () => Array.from({ length }, () => mod(random.fr() + 3n ** 150n)));
        const rows = values.map((row) => ({ vector: device.frVector(row), offset: 0, length, blinding: 0n }));
        expect((await device.commit(rows)).map(hex)).toEqual(values.map((row) => commitment(row, 0n)));
      }
  });
  await device.close();
});
