/**
 * Sums of multiples of points on the GPU (Pippenger 1976): the dispatches. See `kernels/wgsl/curve/digits.ts` and `buckets.ts`
 * for what each does, `plan.ts` for sizes, `runs.ts` for what is cut into digits together.
 */
import { normalizeZ } from '@noble/curves/abstract/curve.js';
import { G1_B } from '../../../curve/params.ts';
import { Point } from '../../../curve/spec.ts';
import { Fq } from '../../../field/spec.ts';
import * as buckets from '../../../kernels/wgsl/curve/buckets.ts';
import { PROJECTIVE_QUADS } from '../../../kernels/wgsl/curve/curve.ts';
import * as digits from '../../../kernels/wgsl/curve/digits.ts';
import { GpuError, ON_CPU } from '../errors.ts';
import type { Block } from '../memory/arena.ts';
import { arraysOf, planSums, POINT_SIZE, type Batch, type PointRange, type Sum } from './plan.ts';
import { groups, runsOf, takeDigits } from './runs.ts';
import type { Store } from '../memory/store.ts';
import type { GpuData } from '../memory/vectors.ts';

/** Additions of one dispatch at most: systems stop a GPU that does not answer for a few seconds. */
const WORK = 2 ** 22;
/** Scratch memory tried at last, when the GPU has no more left. */
const MIN_SCRATCH = 2 ** 17;

export interface SumOptions {
  /** The multiples 2^k of the blinding generator, k < 255. */
  readonly powers: PointRange;
  /** Bytes of scratch memory at most. */
  readonly scratch: number;
}

/**
 * The sums as points.
 * @throws RangeError unless all blindings are in [0, r)
 * @throws GpuError
 */
export async function sumAll(store: Store, sums: readonly Sum[], { powers, scratch }: SumOptions): Promise<Point[]> {
  if (sums.length === 0) return [];
  for (let bytes = scratch; ; bytes /= 2)
    try {
      return await sumWithin(store, sums, powers, bytes);
    } catch (error) {
      if (!(error instanceof GpuError && error.kind === 'memory' && bytes > MIN_SCRATCH)) throw error;
    }
}

async function sumWithin(store: Store, sums: readonly Sum[], powers: PointRange, scratch: number): Promise<Point[]> {
  const { gpu } = store;
  const batches = planSums(sums, scratch, store.tuning);
  const pieces = batches.flatMap((b) => b.pieces);
  const blindings = store.looseFrOf(pieces.map((p) => p.blinding));
  const out = gpu.allocate(POINT_SIZE * pieces.length);
  const counters = gpu.counters(Math.max(...batches.map((b) => b.layout.counters)));
  try {
    let first = 0;
    for (const batch of batches) {
      enqueue(store, batch, { powers, counters, out, first, blindings: blindings.gpu! });
      first += batch.pieces.length;
    }
    const bytes = await gpu.read(out, 0, POINT_SIZE * pieces.length);
    const points: (Point | undefined)[] = sums.map(() => undefined);
    for (const [i, { sum }] of pieces.entries()) points[sum] = points[sum]?.add(pointAt(bytes, i)) ?? pointAt(bytes, i);
    return checked(normalizeZ(Point, points as Point[]));
  } finally {
    // After an error, too, there may be kernels that wait to be submitted with it.
    gpu.submit();
    counters.destroy();
    gpu.free(out);
    blindings.free();
  }
}

/** @throws GpuError unless all lie on the curve, which a fault anywhere on the way makes unlikely. */
function checked(points: Point[]): Point[] {
  for (const point of points) {
    const { x, y } = point.toAffine();
    if (!point.is0() && !Fq.eql(Fq.sqr(y), Fq.add(Fq.mul(Fq.sqr(x), x), G1_B)))
      throw new GpuError(
        'result',
        'the GPU computed a sum of points that is no point of the curve',
        `this is a fault of zkl, of the driver or of the GPU: please report it, and ${ON_CPU}`,
        buckets.joinWindows.name,
      );
  }
  return points;
}

interface Context {
  readonly powers: PointRange;
  readonly counters: GPUBuffer;
  /** Where results go, from number `first` on; the same number is that of the blinding. */
  readonly out: Block;
  readonly first: number;
  readonly blindings: GpuData;
}

function enqueue(store: Store, batch: Batch, context: Context): void {
  const { gpu } = store;
  const { width, layout } = batch;
  const { counters, out } = context;
  const blocks = [...new Set([...batch.blocks, context.powers.block])];
  const runs = runsOf(batch, context, blocks);
  const held: Block[] = [];
  const take = (bytes: number): Block => {
    const block = gpu.allocate(bytes);
    held.push(block);
    return block;
  };
  try {
    const bytes = arraysOf(layout);
    const references = take(bytes.references);
    const starts = take(bytes.starts);
    const sums = take(bytes.sums);
    const partials = take(bytes.partials);
    const slices = take(bytes.slices);
    const chunks = take(bytes.chunks);

    gpu.dispatch(digits.clearCounters, store.params().quad(layout.counters).finish(), layout.counters, counters);
    takeDigits(store, runs, width, references, counters, false);
    const counted = store.params().quad(layout.counters).quad(starts.arena, starts.quad);
    gpu.dispatch(digits.starts, counted.finish(), 1, counters);
    takeDigits(store, runs, width, references, counters, true);

    const share = Math.max(1, WORK >> layout.sliceBits);
    for (let slice = 0; slice < layout.slices; slice += share) {
      const n = Math.min(share, layout.slices - slice);
      const params = store
        .params()
        .quad(n, slice, layout.sliceBits, layout.buckets)
        .quad(starts.arena, starts.quad, references.arena, references.quad)
        .quad(sums.arena, sums.quad, partials.arena, partials.quad)
        .quad(slices.arena, slices.quad)
        .quad(0);
      for (const { arena, quad } of blocks) params.quad(arena, quad);
      gpu.dispatch(buckets.sumSlices, params.finish(), n);
      gpu.submit();
    }
    for (let step = 1; step < layout.slices; step *= buckets.RADIX) {
      const params = store
        .params()
        .quad(2 * layout.slices, step, layout.sliceBits, 0)
        .quad(0)
        .quad(0, 0, partials.arena, partials.quad)
        .quad(slices.arena, slices.quad)
        .quad(layout.slices);
      gpu.dispatch(buckets.addPartials, params.finish(), 2 * layout.slices);
    }
    const weigh = store
      .params()
      .quad(layout.chunks, layout.chunkBits, width - 1, layout.sliceBits)
      .quad(starts.arena, starts.quad)
      .quad(sums.arena, sums.quad, partials.arena, partials.quad)
      .quad(chunks.arena, chunks.quad);
    gpu.dispatch(buckets.weighBuckets, weigh.finish(), layout.chunks);
    const perSet = 2 ** (width - 1 - layout.chunkBits);
    for (let step = 1; step < perSet; step *= buckets.RADIX) {
      const each = Math.ceil(perSet / (buckets.RADIX * step));
      const n = (layout.chunks / perSet) * each;
      const params = store
        .params()
        .quad(n, step, 0, perSet)
        .quad(0)
        .quad(0, 0, chunks.arena, chunks.quad)
        .quad(0)
        .quad(each);
      gpu.dispatch(buckets.addPartials, params.finish(), n);
    }
    let [piece, set] = [0, 0];
    for (const { windows, count } of groups(batch.pieces)) {
      const params = store
        .params()
        .quad(count, windows, width, perSet)
        .quad(
          chunks.arena,
          chunks.quad + PROJECTIVE_QUADS * set * perSet,
          out.arena,
          out.quad + PROJECTIVE_QUADS * (context.first + piece),
        );
      gpu.dispatch(buckets.joinWindows, params.finish(), count);
      piece += count;
      set += count * windows;
    }
  } finally {
    // What is enqueued later may use the memory again: commands run in order.
    for (const block of held) gpu.free(block);
  }
}

/** Number `i` of projective points as kernels write them: the Montgomery factor cancels. */
function pointAt(bytes: Uint8Array, i: number): Point {
  const view = new DataView(bytes.buffer, bytes.byteOffset + POINT_SIZE * i, POINT_SIZE);
  const coordinate = (at: number): bigint => {
    let value = 0n;
    for (let k = 5; k >= 0; k--) value = (value << 64n) | view.getBigUint64(48 * at + 8 * k, true);
    return value;
  };
  const z = coordinate(2);
  return z === 0n ? Point.ZERO : new Point(coordinate(0), coordinate(1), z);
}
