/**
 * Sums of many multiples of points by buckets (Pippenger 1976), for several sums at once so that they share inversions. One call runs on one thread.
 *
 * A plan is an array of 32-bit words in memory: a header, then runs of scalars. Each digit d of window t of a run goes to set
 * `set + t mod step`, bucket |d|, with the point of level floor(t / step) of a table of multiples. What is left of a set is, for each bit i of |d|, the sum of
 * the points whose bucket has that bit: sum_i 2^i S_i is the set's value. Sets are emptied by halving digits: d = low + 2^k high gives two smaller sets.
 */
import { FR_SIZE, JOB_BYTES, JOB_GROUP, JOB_WORK, POINT_SIZE } from '../../../kernels/wasm/emit/layout.ts';
import type { Engine } from '../engine.ts';

/** Consecutive scalars that multiply consecutive points. */
export interface Run {
  /** Bytes of a signed integer (2, 4, 8 or 24), or FR_SIZE for field elements. */
  readonly bytes: number;
  /** Address of the first scalar. */
  readonly source: number;
  readonly count: number;
  readonly windows: number;
  /** Address of the first point, at level 0. */
  readonly points: number;
  /** Bytes from a point to its multiple by 2^(width * step). */
  readonly levelStride: number;
  readonly step: number;
  readonly set: number;
}

const HEADER = { arena: 0, width: 1, sets: 2, runs: 3, output: 4, size: 5 } as const;
const RUN_WORDS = 8;

export const planWords = (runs: readonly Run[]): number => HEADER.size + RUN_WORDS * runs.length;

export function writePlan(
  words: Int32Array,
  plan: { readonly arena: number; readonly width: number; readonly sets: number; readonly output: number },
  runs: readonly Run[],
): void {
  words.set([plan.arena, plan.width, plan.sets, runs.length, plan.output]);
  runs.forEach((r, i) =>
    words.set(
      [r.bytes, r.source, r.count, r.windows, r.points, r.levelStride, r.step, r.set],
      HEADER.size + RUN_WORDS * i,
    ),
  );
}

function readRuns(words: Int32Array, count: number): Run[] {
  return Array.from({ length: count }, (_, i) => {
    const [bytes, source, n, windows, points, levelStride, step, set] = words.subarray(
      HEADER.size + RUN_WORDS * i,
      HEADER.size + RUN_WORDS * (i + 1),
    ) as unknown as [number, number, number, number, number, number, number, number];
    return { bytes, source, count: n, windows, points, levelStride, step, set };
  });
}

const bucketsPerSet = (width: number): number => 2 ** (width - 1);

/** How an arena is laid out, from the sizes of the runs. */
function layout(runs: readonly Run[], width: number, sets: number) {
  const entries = runs.reduce((sum, run) => sum + run.count * run.windows, 0);
  const buckets = sets * bucketsPerSet(width);
  const most = (size: (run: Run) => number) => runs.reduce((m, run) => Math.max(m, size(run)), 0);
  const jobs = Math.max(entries >> 1, buckets) + 2 * JOB_GROUP;
  let end = 0;
  const take = (bytes: number) => {
    const at = end;
    end += Math.ceil((bytes + 16) / 64) * 64;
    return at;
  };
  return {
    padding: take(3 * POINT_SIZE),
    words: take(most((run) => (run.bytes === FR_SIZE ? 32 * run.count : 0))),
    digits: take(most((run) => 2 * run.count * run.windows)),
    starts: [take(4 * (buckets + 1)), take(4 * (buckets + 1))] as const,
    cursors: take(4 * (buckets + 1)),
    // Splits read from one and write to the other in turn: up to two references for each bucket, however few entries there were.
    references: [take(4 * Math.max(entries, 2 * buckets)), take(8 * buckets)] as const,
    jobs: take(JOB_BYTES * jobs),
    work: take(JOB_WORK * jobs),
    sums: take(POINT_SIZE * (entries + 4 * buckets)),
    bytes: end,
    buckets,
  };
}

/** Bytes of working memory that a plan takes. */
export const arenaBytes = (runs: readonly Run[], width: number, sets: number): number =>
  layout(runs, width, sets).bytes;

/** Carries out the plan at an address: fills `output` with sets * width references. */
export function sumBuckets(engine: Engine, plan: number): void {
  const { core, views } = engine;
  const words = views.i32.subarray(plan >>> 2);
  const [base, width, sets, runCount, output] = [words[0] >>> 0, words[1], words[2], words[3], words[4] >>> 0];
  const runs = readRuns(words, runCount);
  const at = layout(runs, width, sets);
  const half = bucketsPerSet(width);
  const address = (offset: number) => base + offset;
  const adder = new Adder(engine, address(at.padding), address(at.jobs), address(at.work), address(at.sums));

  const starts = address(at.starts[0]);
  const cursors = address(at.cursors);
  const references = address(at.references[0]);
  views.u8.fill(0, starts, starts + 4 * (at.buckets + 1));

  // Digits are made twice, once to count and once to place, unless there is one run only.
  const eachWindow = (use: (run: Run, digits: number, window: number) => void) => {
    for (const run of runs) {
      let source = run.source;
      let bytes = run.bytes;
      if (bytes === FR_SIZE) {
        core.frToWords(address(at.words), run.source, 0, run.count);
        [source, bytes] = [address(at.words), 32];
      }
      core.digits(address(at.digits), source, bytes, bytes, run.count, width, run.windows);
      for (let t = 0; t < run.windows; t++) use(run, address(at.digits) + 2 * t * run.count, t);
    }
  };
  const bucketOf = (base_: number, run: Run, t: number) => base_ + 4 * half * (run.set + (t % run.step));
  eachWindow((run, digits, t) => core.countDigits(bucketOf(starts, run, t), digits, run.count));
  core.prefixSums(starts, at.buckets);
  views.u8.copyWithin(cursors, starts, starts + 4 * at.buckets);
  eachWindow((run, digits, t) => {
    const points = run.points + Math.floor(t / run.step) * run.levelStride;
    core.placeDigits(references, bucketOf(cursors, run, t), digits, run.count, points, POINT_SIZE);
  });
  adder.empty(references, starts, at.buckets);
  splitSets(engine, adder, {
    starts: [starts, address(at.starts[1])],
    references: [references, address(at.references[1])],
    cursors,
    sets: Array.from({ length: sets }, (_, i) => ({ size: half, first: half * i, output: output + 4 * width * i })),
    output,
    outputs: sets * width,
  });
}

interface BucketSet {
  /** Buckets for 1 .. size. */
  readonly size: number;
  /** Position of the first one. */
  readonly first: number;
  /** Address of the reference for bit 0. */
  readonly output: number;
}

/** Splits sets of buckets until each has one bucket, whose content is one output. */
function splitSets(
  engine: Engine,
  adder: Adder,
  memory: {
    readonly starts: readonly [number, number];
    readonly references: readonly [number, number];
    readonly cursors: number;
    readonly sets: readonly BucketSet[];
    readonly output: number;
    readonly outputs: number;
  },
): void {
  const { core, views } = engine;
  const { cursors } = memory;
  let sets = memory.sets;
  let [starts, otherStarts] = memory.starts;
  let [references, otherReferences] = memory.references;
  views.u8.fill(0, memory.output, memory.output + 4 * memory.outputs);
  while (sets.length > 0) {
    const words = views.i32;
    const next: {
      readonly set: BucketSet;
      readonly bits: number;
      readonly low: BucketSet;
      readonly high: BucketSet;
    }[] = [];
    let end = 0;
    for (const set of sets) {
      if (set.size === 1) {
        const position = words[(starts >>> 2) + set.first];
        if (words[(starts >>> 2) + set.first + 1] > position)
          words[set.output >>> 2] = words[(references >>> 2) + position]!;
        continue;
      }
      const bits = Math.ceil((32 - Math.clz32(set.size)) / 2);
      const low = { size: 2 ** bits - 1, first: end, output: set.output };
      const high = { size: set.size >> bits, first: end + low.size, output: set.output + 4 * bits };
      end += low.size + high.size;
      next.push({ set, bits, low, high });
    }
    if (next.length === 0) return;
    views.u8.fill(0, otherStarts, otherStarts + 4 * (end + 1));
    for (const { set, bits, low, high } of next)
      core.countSplit(
        otherStarts + 4 * low.first,
        otherStarts + 4 * high.first,
        starts + 4 * set.first,
        set.size,
        bits,
      );
    core.prefixSums(otherStarts, end);
    views.u8.copyWithin(cursors, otherStarts, otherStarts + 4 * end);
    for (const { set, bits, low, high } of next) {
      const [lowCursors, highCursors] = [cursors + 4 * low.first, cursors + 4 * high.first];
      core.placeSplit(otherReferences, lowCursors, highCursors, references, starts + 4 * set.first, set.size, bits);
    }
    [starts, otherStarts] = [otherStarts, starts];
    [references, otherReferences] = [otherReferences, references];
    adder.empty(references, starts, end);
    sets = next.flatMap(({ low, high }) => (high.size === 0 ? [low] : [low, high]));
  }
}

/** Adds up what is in buckets, in rounds of independent additions. */
export class Adder {
  readonly #engine: Engine;
  readonly #padding: number;
  readonly #jobs: number;
  readonly #work: number;
  #sums: number;

  /** @param padding room for three points. @param sums where sums go, one after the other. */
  constructor(engine: Engine, padding: number, jobs: number, work: number, sums: number) {
    this.#engine = engine;
    this.#padding = padding;
    this.#jobs = jobs;
    this.#work = work;
    this.#sums = sums;
    // Two points with different x that no formula objects to: (0, 0) and (1, 0) in digits.
    const { f64 } = engine.views;
    f64.fill(0, padding / 8, (padding + 3 * POINT_SIZE) / 8);
    f64[(padding + POINT_SIZE) / 8] = 1;
  }

  /** Leaves at most one reference in each bucket. */
  empty(references: number, starts: number, buckets: number): void {
    const { core } = this.#engine;
    for (;;) {
      const jobs = core.pairUp(references, starts, buckets, this.#jobs, this.#sums);
      if (jobs === 0) return;
      this.#sums += POINT_SIZE * jobs;
      this.add(jobs);
    }
  }

  /** Carries out the first `count` jobs of the list. */
  add(count: number): void {
    const { core, views } = this.#engine;
    const padded = Math.ceil(count / JOB_GROUP) * JOB_GROUP;
    for (let i = count; i < padded; i++)
      views.i32.set(
        [this.#padding, this.#padding + POINT_SIZE, this.#padding + 2 * POINT_SIZE, 0],
        (this.#jobs + JOB_BYTES * i) / 4,
      );
    core.addBatch(this.#jobs, this.#work, padded);
  }
}
