/** Which scalars of a batch are cut into digits together, and the dispatches that do it (`kernels/wgsl/curve/digits.ts`). */
import * as digits from '../../../kernels/wgsl/curve/digits.ts';
import type { Block } from '../memory/arena.ts';
import { PARAMETER_QUADS } from '../memory/params.ts';
import type { Store } from '../memory/store.ts';
import type { GpuData, Segments } from '../memory/vectors.ts';
import { windowsOf, type Batch, type PointRange, type Term } from './plan.ts';

interface Group {
  readonly windows: number;
  readonly first: number;
  count: number;
}

/** Pieces next to each other that have equally many windows. */
export function groups(pieces: Batch['pieces']): Group[] {
  const out: Group[] = [];
  for (const [i, { windows }] of pieces.entries()) {
    const last = out.at(-1);
    if (last?.windows === windows) last.count++;
    else out.push({ windows, first: i, count: 1 });
  }
  return out;
}

/** A matrix of scalars for the kernel `digits`: its rows follow each other from entry `start` on. */
export interface Run {
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

/**
 * The runs of a batch.
 * @param blindings those of all pieces: that of the batch's first is number `first`
 * @param blocks what references number
 */
export function runsOf(
  { width, pieces }: Batch,
  { powers, first, blindings }: { readonly powers: PointRange; readonly first: number; readonly blindings: GpuData },
  blocks: readonly Block[],
): Run[] {
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
export function takeDigits(
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
