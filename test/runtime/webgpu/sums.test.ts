/** Sums of multiples of points on the GPU: how they are laid out, and that they are right however they are. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { blindingGenerator } from '../../../runtime/curve/generators.ts';
import { fromAffineBytes, Point } from '../../../runtime/curve/spec.ts';
import type { Block } from '../../../runtime/device/webgpu/memory/arena.ts';
import { GpuError } from '../../../runtime/device/webgpu/errors.ts';
import { TUNED_FOR_GPUS } from '../../../runtime/device/webgpu/tuning.ts';
import {
  planSums,
  scratchBytes,
  type PointRange,
  type Sum,
  type Term,
} from '../../../runtime/device/webgpu/operations/plan.ts';
import { sumAll } from '../../../runtime/device/webgpu/operations/sums.ts';
import type { GpuData } from '../../../runtime/device/webgpu/memory/vectors.ts';
import type { Integers } from '../../../runtime/device/device.ts';
import { FR_MODULUS } from '../../../runtime/field/params.ts';
import { POINT_BLOCKS, scalarBits } from '../../../runtime/kernels/wgsl/curve/digits.ts';
import { EDGES, mod, Random } from '../device/devices.ts';
import { createRig, type Rig } from './rig.ts';

const H = fromAffineBytes(blindingGenerator());
const multiple = (k: bigint, point = Point.BASE): Point => (mod(k) === 0n ? Point.ZERO : point.multiplyUnsafe(mod(k)));

describe('the layout', () => {
  const blocks = Array.from({ length: 40 }, (_, i): Block => ({ arena: 0, quad: i, bytes: 0 }));
  const data: GpuData = { segments: { blocks: [], shift: 20 }, offset: 0, length: 2 ** 20 };
  const term = fc.record<Term>({
    data: fc.constant(data),
    bytes: fc.constantFrom(2, 4, 8, 32),
    offset: fc.nat(1000),
    length: fc.nat(5000),
    points: fc.record<PointRange>({ block: fc.constantFrom(...blocks), first: fc.nat(1000) }),
  });
  const sum = fc.record<Sum>({
    terms: fc.oneof({ weight: 9, arbitrary: fc.array(term, { maxLength: 4 }) }, fc.array(term, { maxLength: 50 })),
    blinding: fc.constantFrom(0n, 1n),
  });

  test('every scalar and every blinding is in one piece, and batches fit', () => {
    fc.assert(
      fc.property(
        fc.array(sum, { maxLength: 20 }),
        fc.constantFrom(2 ** 16, 2 ** 20, 2 ** 26),
        fc.constantFrom(2 ** 8, 2 ** 16),
        (sums, scratch, invocations) => {
          const batches = planSums(sums, scratch, { invocations });
          const pieces = batches.flatMap((b) => b.pieces);
          for (const [i, { terms, blinding }] of sums.entries()) {
            const mine = pieces.filter((p) => p.sum === i);
            expect(mine.reduce((s, p) => s + p.blinding, 0n)).toBe(blinding);
            // Terms come apart at their ends only: put together they are what they were.
            const count = (all: readonly Term[]) => {
              const total = new Map<string, number>();
              for (const t of all) {
                const at = [t.bytes, t.offset - t.points.first, blocks.indexOf(t.points.block)].join();
                total.set(at, (total.get(at) ?? 0) + t.length);
              }
              return [...total].filter(([, n]) => n > 0).toSorted();
            };
            expect(count(mine.flatMap((p) => p.terms))).toEqual(count(terms));
          }
          for (const { width, pieces, layout, blocks } of batches) {
            expect(blocks.length).toBeLessThan(POINT_BLOCKS);
            const one = pieces.length === 1 && pieces[0].terms.reduce((n, t) => n + t.length, 0) <= 1;
            if (!one) expect(scratchBytes(layout)).toBeLessThanOrEqual(scratch);
            expect(layout.buckets).toBe(pieces.reduce((n, p) => n + p.windows, 0) * 2 ** (width - 1));
            for (const { windows, terms } of pieces)
              for (const t of terms) expect(windows * width).toBeGreaterThanOrEqual(scalarBits(t.bytes));
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('sums', () => {
  let rig: Rig | undefined;
  let reason: string | undefined;
  /** G, 2 G, 3 G, ...; -G, -2 G, ...; the powers of H; G and infinity in turn. */
  let up: Block, down: Block, powers: Block, holes: Block;
  const n = 150;

  beforeAll(async () => {
    rig = await createRig({ skip: ((why: string) => (reason = why)) as never });
    const ladder = [Point.BASE];
    while (ladder.length < n) ladder.push(ladder.at(-1)!.add(Point.BASE));
    up = place(ladder);
    down = place(ladder.map((p) => p.negate()));
    holes = place(ladder.map((_, i) => (i % 2 === 0 ? Point.BASE : Point.ZERO)));
    const doubles = [H];
    while (doubles.length < 255) doubles.push(doubles.at(-1)!.double());
    powers = place(doubles);
  });
  beforeEach((context) => context.skip(rig === undefined, reason));
  afterAll(() => rig?.close());

  /** Points in GPU memory. */
  function place(points: readonly Point[]): Block {
    const { gpu } = rig!;
    const { R, modulus } = gpu.fq.plan;
    const words = new BigUint64Array(12 * points.length);
    for (const [i, p] of points.entries()) {
      const { x, y } = p.is0() ? { x: 0n, y: 0n } : p.toAffine();
      for (const [c, v] of [x, y].entries())
        for (let k = 0; k < 6; k++) words[12 * i + 6 * c + k] = ((v * R) % modulus) >> BigInt(64 * k);
    }
    const block = gpu.allocate(words.byteLength);
    gpu.upload(block, new Uint8Array(words.buffer));
    return block;
  }

  function scalars(values: Integers | readonly bigint[]): Pick<Term, 'data' | 'bytes'> & { values: bigint[] } {
    const { store } = rig!;
    const big = Array.from(values as ArrayLike<bigint | number>, BigInt);
    if (ArrayBuffer.isView(values))
      return { data: store.onGpu(store.intVector(values)), bytes: values.BYTES_PER_ELEMENT as 2, values: big };
    return { data: store.onGpu(store.frVector(values)), bytes: 32, values: big };
  }

  /** A term on consecutive multiples of G, and the logarithm of its value. */
  function termOf(
    s: ReturnType<typeof scalars>,
    offset: number,
    length: number,
    block = up,
    first = 0,
  ): { readonly term: Term; readonly log: bigint } {
    let log = 0n;
    for (let i = 0; i < length; i++) {
      const at = BigInt(first + i + 1);
      const point = block === up ? at : block === down ? -at : (first + i) % 2 === 0 ? 1n : 0n;
      log += s.values[offset + i] * point;
    }
    return { term: { data: s.data, bytes: s.bytes, offset, length, points: { block, first } }, log };
  }

  const check = async (
    sums: readonly { readonly terms: readonly ReturnType<typeof termOf>[]; readonly blinding: bigint }[],
    scratch = 2 ** 26,
  ): Promise<void> => {
    const points = await sumAll(
      rig!.store,
      sums.map(({ terms, blinding }) => ({ terms: terms.map((t) => t.term), blinding })),
      { powers: { block: powers, first: 0 }, scratch },
    );
    for (const [i, { terms, blinding }] of sums.entries()) {
      const log = terms.reduce((s, t) => s + t.log, 0n);
      const expected = multiple(log).add(multiple(blinding, H));
      expect(points[i].equals(expected), `sum ${i}`).toBe(true);
    }
  };

  test('of scalars of every shape, in as many slices as one bucket can have', async () => {
    const random = new Random(31);
    const all = (value: bigint): bigint[] => Array.from({ length: n }, () => value);
    const shapes: readonly (Integers | readonly bigint[])[] = [
      random.frs(n),
      all(1n),
      all(FR_MODULUS - 1n),
      all((1n << 254n) - 1n),
      all(1n << 254n),
      all(0n).map((_, i) => (i % 97 === 96 ? BigInt(i) : 0n)),
      all(0n).map((_, i) => EDGES[i % EDGES.length]),
      all(0n).map((_, i) => (i < 300 ? 3n : FR_MODULUS - 3n)),
      random.int16(n),
      new Int16Array(n).fill(-32768),
      new Int16Array(n).fill(127),
      random.int32(n),
      new Int32Array(n).fill(-(2 ** 31)),
      random.int64(n),
      new BigInt64Array(n).fill(-(1n << 63n)),
    ];
    await check(
      shapes.map((shape, i) => {
        const s = scalars(shape);
        const block = [up, down, holes][i % 3];
        const [terms, blinding] = [[termOf(s, 0, n, block)], random.fr()];
        // Every point and its opposite.
        if (i % 4 === 1) terms.push(termOf(s, 1, n - 1, up), termOf(s, 1, n - 1, down));
        return { terms, blinding };
      }),
    );
  });

  test('of one bucket that takes several passes', async () => {
    const s = scalars(new Int16Array(9 * n).fill(5));
    const terms = Array.from({ length: 9 }, (_, i) => termOf(s, n * i, n, [up, down, holes, up][i % 4]));
    await check([{ terms, blinding: 0n }]);
  });

  test('of one scalar and of none', async () => {
    const s = scalars([5n, 0n, FR_MODULUS - 1n]);
    const i = scalars(new Int16Array([-1, 0, 1]));
    const cases = [s, i].flatMap((v) => [0, 1, 2].map((k) => ({ terms: [termOf(v, k, 1)], blinding: 0n })));
    await check([...cases, { terms: [], blinding: 0n }, { terms: [], blinding: 9n }]);
  });

  test('of many rows at once, of one vector or of several, within little memory', async () => {
    const random = new Random(32);
    const [a, b, c] = [scalars(random.int16(n)), scalars(random.int16(n)), scalars(random.frs(n))];
    const rows = Array.from({ length: 24 }, (_, i) => {
      const columns = 11;
      const vector = i < 12 ? a : i < 20 ? b : c;
      return { terms: [termOf(vector, (i % 12) * columns, columns)], blinding: i % 7 === 3 ? 0n : random.fr() };
    });
    const odd = [1, 2, 31, 64].map((length, i) => ({
      terms: [termOf(i % 2 === 0 ? a : c, 7 * i, length, down, i)],
      blinding: BigInt(i),
    }));
    await check([...rows, ...odd]);
    await check([...rows, ...odd], 2 ** 18);
  });

  test('that do not fit the memory come in pieces', async () => {
    const random = new Random(33);
    const s = scalars(random.frs(n));
    const t = scalars(random.int32(n));
    const sums = [{ terms: [termOf(s, 0, n), termOf(t, 0, n, down)], blinding: random.fr() }];
    expect(
      planSums([{ terms: sums[0].terms.map((x) => x.term), blinding: 1n }], 2 ** 18, TUNED_FOR_GPUS).length,
    ).toBeGreaterThan(1);
    await check(sums, 2 ** 18);
  });

  test('over more blocks than a reference can name', async () => {
    const s = scalars(new Int16Array([3, -4, 5]));
    const all = Array.from({ length: 40 }, (_, k) => place([multiple(BigInt(k + 1))]));
    const terms = all.map((block, k) => ({
      ...termOf(s, k % 3, 1, block),
      log: s.values[k % 3] * BigInt(k + 1),
    }));
    await check([{ terms, blinding: 4n }]);
    for (const block of all) rig!.gpu.free(block);
  });

  test('take less scratch memory where there is less', async () => {
    const { gpu } = rig!;
    const random = new Random(34);
    const s = scalars(random.frs(n));
    // What is left of the budget is less than one batch would take, more than several smaller ones do.
    const held: Block[] = [];
    const fill = (bytes: number): void => {
      try {
        for (;;) held.push(gpu.allocate(bytes));
      } catch (error) {
        if (!(error instanceof GpuError && error.kind === 'memory')) throw error;
      }
    };
    fill(2 ** 20);
    fill(2 ** 16);
    for (const block of held.splice(0, 1)) gpu.free(block);
    const sums = Array.from({ length: 4 }, (_, i) => ({ terms: [termOf(s, i, n - i)], blinding: 0n }));
    const [whole] = planSums(
      sums.map(({ terms }) => ({ terms: terms.map((t) => t.term), blinding: 0n })),
      2 ** 26,
      TUNED_FOR_GPUS,
    );
    expect(scratchBytes(whole.layout)).toBeGreaterThan(1.5 * 2 ** 20);
    await check(sums);
    for (const block of held) gpu.free(block);
  });

  test('that are no points of the curve are refused', async () => {
    const bad = place([Point.BASE]);
    const bytes = new Uint8Array(96).fill(1);
    rig!.gpu.upload(bad, bytes);
    const s = scalars([1n]);
    const sums: Sum[] = [{ terms: [termOf(s, 0, 1, bad).term], blinding: 0n }];
    const options = { powers: { block: powers, first: 0 }, scratch: 2 ** 20 };
    await expect(sumAll(rig!.store, sums, options)).rejects.toMatchObject({ name: 'GpuError', kind: 'result' });
  });
});
