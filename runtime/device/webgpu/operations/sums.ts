/**
 * Sums of multiples of points on the GPU (Pippenger 1976): the dispatches. See `kernels/wgsl/curve/digits.ts` and `buckets.ts`
 * for what each does, `plan.ts` for sizes.
 */
import { normalizeZ } from '@noble/curves/abstract/curve.js';
import { G1_B } from '../../../curve/params.ts';
import { Point } from '../../../curve/spec.ts';
import { Fq } from '../../../field/spec.ts';
import * as buckets from '../../../kernels/wgsl/curve/buckets.ts';
import { PROJECTIVE_QUADS } from '../../../kernels/wgsl/curve/curve.ts';
import * as digits from '../../../kernels/wgsl/curve/digits.ts';
import { GpuError, onCpu } from '../errors.ts';
import type { Block } from '../memory/arena.ts';
import { PARAMETER_QUADS } from '../memory/params.ts';
import { arraysOf, planSums, POINT_SIZE, windowsOf, type Batch, type PointRange, type Sum, type Term } from './plan.ts';
import type { Store } from '../memory/store.ts';
import type { GpuData, Segments } from '../memory/vectors.ts';

/** Additions of one dispatch at most: systems stop a GPU that does not answer for a few seconds. */
const WORK = 2 ** 22;
/** Scratch memory tried at last, when the GPU has no more left. */
const LEAST_SCRATCH = 2 ** 17;

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
  for (let bytes = scratch; ; bytes /= 2) {
    try {
      return await sumWithin(store, sums, powers, bytes);
    } catch (error) {
      if (!(error instanceof GpuError && error.kind === 'memory' && bytes > LEAST_SCRATCH)) throw error;
    }
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
        `this is a fault of zkl, of the driver or of the GPU: please report it, and ${onCpu}`,
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

interface Group {
  readonly windows: number;
  readonly first: number;
  count: number;
}

/** Pieces next to each other that have equally many windows. */
function groups(pieces: Batch['pieces']): Group[] {
  const out: Group[] = [];
  for (const [i, { windows }] of pieces.entries()) {
    const last = out.at(-1);
    if (last?.windows === windows) last.count++;
    else out.push({ windows, first: i, count: 1 });
  }
  return out;
}

/** A matrix of scalars for the kernel `digits`: its rows follow each other from entry `start` on. */
interface Run {
  readonly segments: Segments;
  readonly start: number;
  readonly bytes: Term['bytes'];
  rows: number;
  readonly columns: number;
  readonly windows: number;
  readonly set: number;
  readonly setsPerRow: number;
  readonly setsPerWindow: number;
  readonly reference: number;
  readonly pointsPerColumn: number;
  readonly pointsPerWindow: number;
}

function runsOf({ width, pieces }: Batch, { powers, first, blindings }: Context, blocks: readonly Block[]): Run[] {
  const referenceTo = ({ block, first: point }: PointRange): number => {
    const k = blocks.indexOf(block);
    if (k < 0 || k >= digits.POINT_BLOCKS || point >= 2 ** digits.POINT_BITS)
      throw new Error(`internal error: no reference to point ${point} of block ${k}`);
    return k * 2 ** digits.POINT_BITS + point;
  };
  const runs: Run[] = [];
  let set = 0;
  for (const piece of pieces) {
    for (const { data, bytes, offset, length, points } of piece.terms) {
      if (length === 0) continue;
      const run: Run = {
        segments: data.segments,
        start: data.offset + offset,
        bytes,
        rows: 1,
        columns: length,
        windows: windowsOf(bytes, width),
        set,
        setsPerRow: piece.windows,
        setsPerWindow: 1,
        reference: referenceTo(points),
        pointsPerColumn: 1,
        pointsPerWindow: 0,
      };
      const last = runs.at(-1);
      if (last && follows(last, run)) last.rows++;
      else runs.push(run);
    }
    set += piece.windows;
  }
  // Blindings: a column of scalars, all for H; their windows share a set, as each has a multiple of H of its own.
  set = 0;
  for (const group of groups(pieces)) {
    if (pieces.slice(group.first, group.first + group.count).some((p) => p.blinding !== 0n))
      runs.push({
        segments: blindings.segments,
        start: blindings.offset + first + group.first,
        bytes: 32,
        rows: group.count,
        columns: 1,
        windows: windowsOf(32, width),
        set,
        setsPerRow: group.windows,
        setsPerWindow: 0,
        reference: referenceTo(powers),
        pointsPerColumn: 0,
        pointsPerWindow: width,
      });
    set += group.count * group.windows;
  }
  return runs;
}

/** Whether a run is the next row of another. */
const follows = (a: Run, b: Run): boolean =>
  a.segments === b.segments &&
  a.start + a.rows * a.columns === b.start &&
  a.set + a.rows * a.setsPerRow === b.set &&
  (['bytes', 'columns', 'windows', 'setsPerRow', 'reference'] as const).every((key) => a[key] === b[key]);

/** The entries of a run as a vector, with those segments only that they lie in. */
function entriesOf({ segments: { blocks, shift }, start, rows, columns }: Run): GpuData {
  const size = 2 ** shift;
  const length = rows * columns;
  const from = Math.floor(start / size);
  const to = Math.floor((start + length - 1) / size) + 1;
  return { segments: { blocks: blocks.slice(from, to), shift }, offset: start - from * size, length };
}

/** Counts the digits of all runs, or sorts them: as many runs in a dispatch as its arguments have room for. */
function takeDigits(
  store: Store,
  runs: readonly Run[],
  width: number,
  references: Block,
  counters: GPUBuffer,
  sort: boolean,
): void {
  const dispatch = (part: readonly { readonly run: Run; readonly data: GpuData }[]): void => {
    const threads = part.reduce((n, { data }) => n + data.length, 0);
    const params = store
      .params()
      .quad(threads, part.length, width, sort ? 1 : 0)
      .quad(references.arena, references.quad);
    let first = 0;
    for (const [i, { run, data }] of part.entries()) {
      const vector = digits.RUN_BASE + digits.RUN_QUADS * part.length + i;
      params
        .quad(first, vector, run.bytes, run.columns)
        .quad(run.windows, run.set, run.setsPerRow, run.setsPerWindow)
        .quad(run.reference, run.pointsPerColumn, run.pointsPerWindow);
      first += data.length;
    }
    for (const { data } of part) params.vector(data);
    store.gpu.dispatch(digits.digits, params.finish(), threads, counters);
  };
  let part: { run: Run; data: GpuData }[] = [];
  let quads = digits.RUN_BASE;
  for (const run of runs) {
    const data = entriesOf(run);
    const more = digits.RUN_QUADS + 1 + data.segments.blocks.length;
    if (part.length > 0 && quads + more > PARAMETER_QUADS) {
      dispatch(part);
      part = [];
      quads = digits.RUN_BASE;
    }
    part.push({ run, data });
    quads += more;
  }
  if (part.length > 0) dispatch(part);
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
