/**
 * Operations of the WASM device on points: decoding, generators, commitments, multi-scalar multiplication.
 */
import { BLS_X, AFFINE_BYTES, POINT_BYTES } from '../../../curve/params.ts';
import { blindingGenerator, generatorBytes, type GeneratorCache } from '../../../curve/generators.ts';
import type { CommitRow, Device, PointVector } from '../../device.ts';
import type { Scopes } from '../../scopes.ts';
import * as check from '../../shapes.ts';
import { FR_SIZE, JOB_BYTES, JOB_GROUP, JOB_KIND, POINT_SIZE } from '../../../kernels/wasm/emit/layout.ts';
import { Adder, type Run } from './buckets.ts';
import { readWords, writeWords, type Context } from '../context.ts';
import { decodeAll } from './decoding.ts';
import { uploadAffine } from './encoding.ts';
import { sumRows, type Row } from './rows.ts';
import { addressOf, entryBytes, WasmVector } from '../vectors.ts';

/** Bits of the digits of committed values: two for 16-bit integers. */
const COMMIT_WIDTH = 8;
/** Up to this many columns every multiple by 2^(8 k) of every generator is kept, unless the device is made otherwise. */
const TABLE_COLUMNS = 1024;
const FR_WINDOWS = 256 / COMMIT_WIDTH;

/** Multiples by 2^(8 k), k < levels, of `count` generators and of H. */
interface GeneratorTable {
  readonly count: number;
  readonly levels: number;
  /** count + 1 points a level, H being the last. */
  readonly points: number;
  readonly levelStride: number;
  /** All multiples of H, one after the other. */
  readonly blinding: number;
}

type PointOperations = Pick<Device, 'decodePoints' | 'generators' | 'msm' | 'prepareGenerators' | 'commit'>;

export function pointOperations(
  ctx: Context,
  scopes: Scopes<{ free(): void }>,
  cache: GeneratorCache | undefined,
  tableColumns = TABLE_COLUMNS,
): PointOperations {
  const { heap, views } = ctx;
  let table: GeneratorTable | undefined;
  const own = (length: number, address: number): PointVector => {
    const v = new WasmVector('points', length, address, heap);
    scopes.own(v);
    return v;
  };

  async function prepare(count: number): Promise<GeneratorTable> {
    if (table !== undefined && table.count >= count) return table;
    const levels = count <= tableColumns ? FR_WINDOWS : 1;
    const bytes = await generatorBytes(count, cache);
    const levelStride = POINT_SIZE * (count + 1);
    const points = heap.allocate(levelStride * levels);
    const blinding = heap.allocate(POINT_SIZE * FR_WINDOWS);
    const all = new Uint8Array(AFFINE_BYTES * (count + 1));
    all.set(bytes);
    all.set(blindingGenerator(), AFFINE_BYTES * count);
    uploadAffine(ctx, points, all);
    multiples(ctx, points, count + 1, levels);
    views.u8.copyWithin(blinding, points + POINT_SIZE * count, points + POINT_SIZE * (count + 1));
    multiples(ctx, blinding, 1, FR_WINDOWS);
    if (table !== undefined) {
      heap.free(table.points);
      heap.free(table.blinding);
    }
    table = { count, levels, points, levelStride, blinding };
    return table;
  }

  return {
    decodePoints: async (bytes) => {
      const count = Math.floor(bytes.length / POINT_BYTES);
      const address = heap.allocate(POINT_SIZE * count);
      const bad = decodeAll(ctx, bytes, count, address);
      if (bad !== undefined) {
        heap.free(address);
        return bad;
      }
      if (bytes.length % POINT_BYTES === 0) return own(count, address);
      heap.free(address);
      return { bad: count, reason: 'encoding' };
    },

    async generators(count) {
      const { points, count: available } = await prepare(count);
      const address = heap.allocate(POINT_SIZE * (count + 1));
      views.u8.copyWithin(address, points, points + POINT_SIZE * count);
      const h = points + POINT_SIZE * available;
      views.u8.copyWithin(address + POINT_SIZE * count, h, h + POINT_SIZE);
      return own(count + 1, address);
    },

    prepareGenerators: async (count) => void (await prepare(count)),

    async commit(rows: readonly CommitRow[]) {
      for (const row of rows) check.checkSlice('commit', row.offset, row.length, row.vector.length);
      const bases = await prepare(Math.max(0, ...rows.map((row) => row.length)));
      return ctx.temporary(FR_SIZE * rows.length, (blindings) => {
        ctx.writeFr(
          blindings,
          rows.map((row) => row.blinding),
        );
        return sumRows(
          ctx,
          COMMIT_WIDTH,
          rows.map((row, i) => commitmentRow(row, bases, blindings + FR_SIZE * i)),
        );
      });
    },

    async msm(parts) {
      check.checkMsm(parts);
      return multiply(ctx, parts);
    },
  };
}

/** The runs of one commitment: its values, and its blinding with H. */
function commitmentRow(
  { vector, offset, length, blinding }: CommitRow,
  bases: GeneratorTable,
  blindingAt: number,
): Row {
  const bytes = entryBytes(vector);
  const windows = vector.kind === 'fr' ? FR_WINDOWS : bytes;
  const step = bases.levels > 1 ? 1 : windows;
  const values: Run = {
    bytes,
    source: addressOf(vector) + offset * bytes,
    count: length,
    windows,
    points: bases.points,
    levelStride: bases.levelStride,
    step,
    set: 0,
  };
  const hiding: Run = {
    bytes: FR_SIZE,
    source: blindingAt,
    count: 1,
    windows: FR_WINDOWS,
    points: bases.blinding,
    levelStride: POINT_SIZE * step,
    step,
    set: 0,
  };
  return { sets: step, runs: blinding === 0n ? [values] : [values, hiding] };
}

/** Fills in levels 1 .. levels - 1 of a table whose level 0 is there: each is 2^8 times the one before. */
function multiples(ctx: Context, points: number, count: number, levels: number): void {
  const size = POINT_SIZE * count;
  ctx.temporary(2 * size, (scratch) => {
    for (let level = 1; level < levels; level++) {
      let from = points + size * (level - 1);
      for (let k = 0; k < COMMIT_WIDTH; k++) {
        const to = k === COMMIT_WIDTH - 1 ? points + size * level : scratch + size * (k % 2);
        doubleAll(ctx, to, from, count);
        from = to;
      }
    }
  });
}

/** target[i] = 2 source[i]. */
function doubleAll(ctx: Context, target: number, source: number, count: number): void {
  const jobs = count + JOB_GROUP;
  ctx.temporary(3 * POINT_SIZE + (JOB_BYTES + POINT_SIZE) * jobs, (block) => {
    const list = block + 3 * POINT_SIZE + POINT_SIZE * jobs;
    const { i32 } = ctx.views;
    for (let i = 0; i < count; i++) {
      const from = source + POINT_SIZE * i;
      i32.set([from, from, target + POINT_SIZE * i, JOB_KIND.double], (list + JOB_BYTES * i) / 4);
    }
    new Adder(ctx.engine, block, list, block + 3 * POINT_SIZE, 0).add(count);
  });
}

/** Bytes of half a scalar: 128 bits, and room for a sign. */
const HALF_BYTES = 24;
const HALF_BITS = 129;

/**
 * Variable-base multi-scalar multiplication. k = a + b x^2 with a, b < 2^128, and x^2 P = -phi(P) (Gallant, Lambert, Vanstone 2001), so
 * that twice as many points have scalars of half the length.
 */
function multiply(ctx: Context, parts: Parameters<Device['msm']>[0]): Uint8Array {
  const { views } = ctx;
  const total = parts.reduce((sum, { scalars }) => sum + scalars.length, 0);
  const width = cheapestWidth(2 * total);
  const windows = Math.ceil(HALF_BITS / width);
  return ctx.temporary(2 * POINT_SIZE * total, (points) =>
    ctx.temporary(2 * HALF_BYTES * total, (halves) => {
      let done = 0;
      for (const part of parts) {
        const { length } = part.scalars;
        const source = addressOf(part.points);
        views.u8.copyWithin(points + POINT_SIZE * done, source, source + POINT_SIZE * length);
        ctx.launch('endomorphism', length, 50, points + POINT_SIZE * (total + done), [source]);
        splitScalars(ctx, halves, total, done, addressOf(part.scalars), length);
        done += length;
      }
      const run: Run = {
        bytes: HALF_BYTES,
        source: halves,
        count: 2 * total,
        windows,
        points,
        levelStride: 0,
        step: windows,
        set: 0,
      };
      return sumRows(ctx, width, [{ sets: windows, runs: [run] }])[0];
    }),
  );
}

/** Digits so wide that additions into buckets and out of them are fewest. */
function cheapestWidth(count: number): number {
  const cost = (width: number) => Math.ceil(HALF_BITS / width) * (count + 2.3 * 2 ** (width - 1));
  return Array.from({ length: 12 }, (_, i) => i + 3).reduce((best, width) => (cost(width) < cost(best) ? width : best));
}

/** Writes the halves a of scalars at position `first`, b at total + first. */
function splitScalars(
  ctx: Context,
  halves: number,
  total: number,
  first: number,
  scalars: number,
  count: number,
): void {
  const square = BLS_X * BLS_X;
  ctx.temporary(32 * count, (words) => {
    ctx.exports.frToWords(words, scalars, 0, count);
    const u64 = ctx.views.u64;
    for (let i = 0; i < count; i++) {
      const k = readWords(u64, words / 8 + 4 * i, 4);
      const b = k / square;
      writeWords(u64, (halves + HALF_BYTES * (first + i)) / 8, k - b * square, 3);
      writeWords(u64, (halves + HALF_BYTES * (total + first + i)) / 8, b, 3);
    }
  });
}
