/**
 * How sums of multiples of points are laid out for the GPU: digit widths, batches that fit the scratch memory, sizes.
 */
import { PROJECTIVE_QUADS } from '../../../kernels/wgsl/curve/curve.ts';
import { POINT_BLOCKS, scalarBits, STARTS_STEP } from '../../../kernels/wgsl/curve/digits.ts';
import type { Block } from '../memory/arena.ts';
import type { Tuning } from '../tuning.ts';
import type { GpuData } from '../memory/vectors.ts';

/** Affine points in GPU memory, from number `first` of a block on. */
export interface PointRange {
  readonly block: Block;
  readonly first: number;
}

/** `length` entries of a vector, from `offset`, times as many points. */
export interface Term {
  readonly data: GpuData;
  /** Of an integer, or 32 for field elements. */
  readonly bytes: 2 | 4 | 8 | 32;
  readonly offset: number;
  readonly length: number;
  readonly points: PointRange;
}

/** The terms' sum, plus `blinding` times the blinding generator. */
export interface Sum {
  readonly terms: readonly Term[];
  readonly blinding: bigint;
}

/** A sum, or a part of one that is too large for the scratch memory. */
export interface Piece extends Sum {
  /** Number of the sum. */
  readonly sum: number;
  /** Windows of its digits: the most that a term has. */
  readonly windows: number;
  /** Digits of all scalars. */
  readonly entries: number;
}

/** Pieces with digits of the same width, those with equally many windows next to each other. */
export interface Batch {
  readonly width: number;
  readonly pieces: readonly Piece[];
  readonly blocks: readonly Block[];
  readonly layout: Layout;
}

/** Numbers of things, and logarithms of the sizes of slices and chunks (see `kernels/wgsl/curve/buckets.ts`). */
export interface Layout {
  readonly entries: number;
  readonly buckets: number;
  readonly sliceBits: number;
  readonly slices: number;
  readonly chunkBits: number;
  readonly chunks: number;
  /** Words of the counters. */
  readonly counters: number;
}

export const POINT_SIZE = 16 * PROJECTIVE_QUADS;
/** Widths of digits that there are; a set has 2^(width - 1) buckets. */
const WIDTHS = { least: 2, most: 16 } as const;
/** Additions for a bucket, two running sums and a share of the multiples, in additions of points to buckets. */
const BUCKET_COST = 3;

export const windowsOf = (bytes: Term['bytes'], width: number): number => Math.ceil(scalarBits(bytes) / width);

const powerBelow = (x: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, Math.floor(Math.log2(Math.max(1, x)))));

/** @param invocations see `Tuning` */
export function layoutOf(entries: number, buckets: number, width: number, invocations: number): Layout {
  const sliceBits = powerBelow(entries / invocations, 3, 5);
  const chunkBits = Math.min(width - 1, powerBelow((4 * buckets) / invocations, 3, 5));
  return {
    entries,
    buckets,
    sliceBits,
    slices: Math.ceil(entries / 2 ** sliceBits),
    chunkBits,
    chunks: buckets / 2 ** chunkBits,
    counters: STARTS_STEP * Math.ceil((buckets + 1) / STARTS_STEP),
  };
}

/** Bytes of the arrays of a batch; see `sums.ts`. */
export function arraysOf({ entries, buckets, slices, chunks, counters }: Layout) {
  return {
    references: 4 * entries,
    starts: 4 * counters,
    sums: POINT_SIZE * buckets,
    partials: 2 * POINT_SIZE * slices,
    slices: 16 * slices,
    chunks: POINT_SIZE * chunks,
  };
}

export const scratchBytes = (layout: Layout): number =>
  Object.values(arraysOf(layout)).reduce((sum, bytes) => sum + 256 * Math.ceil(bytes / 256), 4 * layout.counters);

function measure({ terms, blinding }: Sum, width: number): Pick<Piece, 'windows' | 'entries'> {
  let windows = 1;
  let entries = blinding === 0n ? 0 : windowsOf(32, width);
  for (const { bytes, length } of terms) {
    const w = windowsOf(bytes, width);
    windows = Math.max(windows, w);
    entries += w * length;
  }
  return { windows, entries };
}

/** The digit width for which a sum takes the fewest additions. */
export function cheapestWidth(sum: Sum): number {
  let [best, least] = [WIDTHS.least as number, Infinity];
  for (let width = WIDTHS.least; width <= WIDTHS.most; width++) {
    const { windows, entries } = measure(sum, width);
    const cost = entries + BUCKET_COST * windows * 2 ** (width - 1);
    if (cost < least) [best, least] = [width, cost];
  }
  return best;
}

/** Two sums that add up to one, with half the scalars each. */
function halve({ terms, blinding }: Sum): [Sum, Sum] {
  const total = terms.reduce((n, t) => n + t.length, 0);
  const [first, second]: [Term[], Term[]] = [[], []];
  let left = total >> 1;
  for (const t of terms) {
    const n = Math.min(left, t.length);
    const { block, first: at } = t.points;
    if (n > 0) first.push({ ...t, length: n });
    if (n < t.length)
      second.push({ ...t, offset: t.offset + n, length: t.length - n, points: { block, first: at + n } });
    left -= n;
  }
  return [
    { terms: first, blinding },
    { terms: second, blinding: 0n },
  ];
}

/** Blocks of a sum, or undefined where it has more than references can tell apart; one more may hold multiples of H. */
function blocksOf(terms: readonly Term[]): Set<Block> | undefined {
  const blocks = new Set(terms.map((t) => t.points.block));
  return blocks.size < POINT_BLOCKS ? blocks : undefined;
}

/**
 * @param scratch bytes of scratch memory at most; a piece of one scalar is not halved any more.
 * @param invocations see `Tuning`
 */
export function planSums(sums: readonly Sum[], scratch: number, { invocations }: Pick<Tuning, 'invocations'>): Batch[] {
  const widths = new Map<string, number>();
  const byWidth = new Map<number, Piece[]>();
  const add = (sum: Sum, index: number): void => {
    const key = sum.terms.map((t) => `${t.bytes} ${t.length}`).join() + (sum.blinding === 0n ? '' : ' blinded');
    const width = widths.get(key) ?? cheapestWidth(sum);
    widths.set(key, width);
    const piece = { ...sum, sum: index, ...measure(sum, width) };
    const layout = layoutOf(piece.entries, piece.windows * 2 ** (width - 1), width, invocations);
    const scalars = sum.terms.reduce((n, t) => n + t.length, 0);
    if (scalars > 1 && (scratchBytes(layout) > scratch || blocksOf(sum.terms) === undefined))
      for (const half of halve(sum)) add(half, index);
    else {
      const same = byWidth.get(width) ?? [];
      same.push(piece);
      byWidth.set(width, same);
    }
  };
  sums.forEach(add);
  return [...byWidth].flatMap(([width, pieces]) => batches(width, pieces, scratch, invocations));
}

function batches(width: number, pieces: readonly Piece[], scratch: number, invocations: number): Batch[] {
  const out: Batch[] = [];
  let current: Piece[] = [];
  let [entries, sets] = [0, 0];
  let blocks = new Set<Block>();
  const layout = (): Layout => layoutOf(entries, sets * 2 ** (width - 1), width, invocations);
  const close = (): void => {
    if (current.length > 0) out.push({ width, pieces: current, blocks: [...blocks], layout: layout() });
    current = [];
    [entries, sets] = [0, 0];
    blocks = new Set();
  };
  for (const piece of pieces.toSorted((a, b) => a.windows - b.windows)) {
    const more = new Set([...blocks, ...piece.terms.map((t) => t.points.block)]);
    const next = layoutOf(entries + piece.entries, (sets + piece.windows) * 2 ** (width - 1), width, invocations);
    if (current.length > 0 && (scratchBytes(next) > scratch || more.size >= POINT_BLOCKS)) close();
    current.push(piece);
    entries += piece.entries;
    sets += piece.windows;
    for (const t of piece.terms) blocks.add(t.points.block);
  }
  close();
  return out;
}
