/**
 * Several sums of multiples of points at once, spread over the threads, down to compressed points.
 */
import { FQ_LIMBS, JOB_BYTES, JOB_GROUP, JOB_WORK, POINT_SIZE } from '../../../kernels/wasm/emit/layout.ts';
import { Adder, arenaBytes, planWords, writePlan, type Run } from './buckets.ts';
import type { Context } from '../context.ts';
import { TASK } from '../engine.ts';
import { compressAll } from './encoding.ts';

/** One sum: runs whose sets are 0 .. sets - 1. */
export interface Row {
  readonly sets: number;
  readonly runs: readonly Run[];
}

/** Nanoseconds for an addition. */
export const ADDITION = 300;
/** Digits handled at once by a thread: what bounds working memory, 250 bytes each. */
const CHUNK_ENTRIES = 150_000;
const PROJECTIVE_SIZE = 3 * 16 * FQ_LIMBS.n;

const entriesOf = (row: Row): number => row.runs.reduce((sum, run) => sum + run.count * run.windows, 0);

/** Addresses of points, one after the other from `list` on, `count` of them; bit 0 set for the negative, 0 for no point. */
export interface References {
  readonly list: number;
  readonly count: number;
}

/** Each row's sum, 48 bytes. */
export const sumRows = (ctx: Context, width: number, rows: readonly Row[]): Uint8Array[] =>
  sumBits(ctx, width, rows, (lists) => finish(ctx, lists));

/**
 * For each row the sums of the points whose digit has bit 0, bit 1, ..., of the absolute value, `width` for each of its sets: negated where the digit is
 * negative. `use` gets those of some rows at a time, as long as they are there, and all of its results are returned.
 */
export function sumBits<T>(
  ctx: Context,
  width: number,
  rows: readonly Row[],
  use: (lists: readonly References[]) => readonly T[],
): T[] {
  const out: T[] = [];
  const limit = CHUNK_ENTRIES * ctx.pool.threads;
  for (let start = 0; start < rows.length;) {
    let end = start + 1;
    let entries = entriesOf(rows[start]);
    while (end < rows.length && entries + entriesOf(rows[end]) <= limit) entries += entriesOf(rows[end++]);
    out.push(...sumChunk(ctx, width, rows.slice(start, end), entries, use));
    start = end;
  }
  return out;
}

function sumChunk<T>(
  ctx: Context,
  width: number,
  rows: readonly Row[],
  entries: number,
  use: (lists: readonly References[]) => readonly T[],
): readonly T[] {
  const firstSet: number[] = [];
  let sets = 0;
  for (const row of rows) {
    firstSet.push(sets);
    sets += row.sets;
  }
  const runs = rows.flatMap((row, i) => row.runs.map((run) => ({ ...run, set: firstSet[i] })));
  const parts = ctx.parts(entries * ADDITION);
  const shares = Array.from({ length: parts }, (_, part) => share(runs, part, parts));
  const arenas = shares.map((mine) => ctx.heap.allocate(arenaBytes(mine, width, sets)));
  const outputs = ctx.heap.allocate(4 * sets * width * parts);
  const plans = shares.map((mine, part) => {
    const address = ctx.heap.allocate(4 * planWords(mine));
    const output = outputs + 4 * sets * width * part;
    writePlan(ctx.views.i32.subarray(address / 4), { arena: arenas[part], width, sets, output }, mine);
    return address;
  });
  try {
    ctx.pool.run(TASK.buckets, parts, plans);
    return merge(ctx, outputs, sets * width, parts, (lists) =>
      use(rows.map((row, i) => ({ list: lists + 4 * width * firstSet[i], count: width * row.sets }))),
    );
  } finally {
    for (const address of [...arenas, outputs, ...plans]) ctx.heap.free(address);
  }
}

/** Every thread takes a share of each run's columns, so that all have the same work whatever the rows are. */
function share(runs: readonly Run[], part: number, parts: number): Run[] {
  return runs.flatMap((run) => {
    const from = Math.floor((run.count * part) / parts);
    const to = Math.floor((run.count * (part + 1)) / parts);
    if (from === to) return [];
    return [
      { ...run, count: to - from, source: run.source + run.bytes * from, points: run.points + POINT_SIZE * from },
    ];
  });
}

/** Adds the threads' lists of references entry by entry; `use` gets the address of the list of sums. */
function merge<T>(ctx: Context, lists: number, length: number, parts: number, use: (list: number) => T): T {
  if (parts === 1) return use(lists);
  const jobs = Math.ceil((length * parts) / 2) + JOB_GROUP;
  const size = 3 * POINT_SIZE + (JOB_BYTES + JOB_WORK + 2 * POINT_SIZE) * jobs + 8 * length * parts + 4 * length + 256;
  return ctx.temporary(size, (block) => {
    const { i32 } = ctx.views;
    let end = block;
    const take = (bytes: number) => {
      const at = end;
      end += Math.ceil(bytes / 16) * 16;
      return at;
    };
    const padding = take(3 * POINT_SIZE);
    const work = take(JOB_WORK * jobs);
    const sums = take(2 * POINT_SIZE * jobs);
    const jobList = take(JOB_BYTES * jobs);
    const references = take(4 * length * parts);
    const starts = take(4 * (length + 1));
    let count = 0;
    for (let i = 0; i < length; i++) {
      i32[starts / 4 + i] = count;
      for (let part = 0; part < parts; part++) {
        const reference = i32[lists / 4 + part * length + i];
        if (reference !== 0) i32[references / 4 + count++] = reference;
      }
    }
    i32[starts / 4 + length] = count;
    new Adder(ctx.engine, padding, jobList, work, sums).empty(references, starts, length);
    for (let i = 0; i < length; i++) {
      const [from, to] = [i32[starts / 4 + i], i32[starts / 4 + i + 1]];
      i32[lists / 4 + i] = from < to ? i32[references / 4 + from] : 0;
    }
    return use(lists);
  });
}

/** Sums 2^i P_i for each list of references, two lists at a time. */
function finish(ctx: Context, lists: readonly References[]): Uint8Array[] {
  const { exports } = ctx;
  const order = lists.map((_, i) => i).sort((a, b) => lists[a].count - lists[b].count);
  const pairs: (readonly [number, number])[] = [];
  for (let k = 0; k < order.length;) {
    const [a, b] = [order[k], order[k + 1]];
    const together = b !== undefined && lists[a].count === lists[b].count;
    pairs.push([a, together ? b : a]);
    k += together ? 2 : 1;
  }
  return ctx.temporary(PROJECTIVE_SIZE * pairs.length, (projective) =>
    ctx.temporary(2 * POINT_SIZE * pairs.length, (affine) => {
      pairs.forEach(([a, b], k) =>
        exports.horner(projective + PROJECTIVE_SIZE * k, lists[a].list, lists[b].list, lists[a].count),
      );
      exports.toAffine(affine, projective, pairs.length);
      const points = compressAll(ctx, affine, 2 * pairs.length);
      const out: Uint8Array[] = [];
      pairs.forEach(([a, b], k) => {
        out[a] = points[2 * k]!;
        out[b] = points[2 * k + 1]!;
      });
      return out;
    }),
  );
}
