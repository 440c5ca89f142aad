/**
 * Sums of integers times field elements: the kernels behind `contract` of integers.
 *
 * A tile of integers is copied next to each other first, as 32-bit numbers: rows of a large matrix lie whole pages apart, and often at the same place in them, so
 * that a column walked row by row would find nothing in the cache, and would take a line of it for each entry. What follows is then all in the first-level cache:
 * a pair of columns at a time, its sums in registers.
 *
 * A sum has two halves for each digit of the weights, so that products are exact doubles: a half has 25 bits and a sign, an integer of b bits (its sign included) is
 * at most 2^(b-1), and fewer than 2^(27-b) such products stay below 2^51, where `joinHalves` makes an element of them.
 */
import { f64x2, i32, i32x4, i64, i64x2, v128, type I32 } from '../emit/code.ts';
import { FR_SIZE, ZERO, type ScratchPlan } from '../emit/layout.ts';
import { scratchBase, type ModuleBuilder } from '../emit/module.ts';
import type { Pairs } from '../emit/pairs.ts';
import { loadInteger } from './scalar.ts';
import { copyColumns, copyRows } from './tiles.ts';

/** Rows and columns of a tile of columns that are neighbours in memory: whole lines of the cache from each row. */
const WIDE = { rows: 32, columns: 64 } as const;
/** Of a tile of others, each copied by itself: few streams of memory, each long enough. */
const TALL = { rows: 256, columns: 8 } as const;
/** From how many on neighbours are copied together. */
const NEIGHBOURS = 16;

/** Integers of more bits are taken in parts of 16. */
export const WHOLE_BITS = 21;

/** How many products of integers of `bits` bits may be summed before they are joined: a multiple of a wide tile's rows, and less than 2^(27 - bits). */
export const contractTerms = (bits: number): number => Math.floor((2 ** (27 - bits) - 1) / WIDE.rows) * WIDE.rows;

export function emitContractKernels(m: ModuleBuilder, pairs: Pairs, scratch: ScratchPlan): void {
  emitSignificantBits(m);
  emitSplitWeights(m, pairs);
  emitContractIntegers(m, pairs, scratch);
  emitShiftAdd(m, pairs);
}

/** significantBits(target, source, bytes, from, to): stores, as 64 bits, those in which some entry differs from its sign. */
function emitSignificantBits(m: ModuleBuilder): void {
  m.function(
    { name: 'significantBits', params: ['i32', 'i32', 'i32', 'i32', 'i32'] },
    (c, target, source, bytes, from, to) => {
      const all = c.let(i64.const(0n));
      const value = c.local('i64');
      const i = c.let(from);
      c.if(i32.eq(bytes, 4), () => {
        const wide = c.let(v128.load(ZERO));
        const x = c.local('v128');
        const at = c.let(i32.add(source, i32.shl(from, 2)));
        c.while(
          () => i32.le_s(i32.add(i, 4), to),
          () => {
            c.set(x, v128.load(at));
            c.set(wide, v128.or(wide, v128.xor(x, i32x4.shr_s(x, 31))));
            c.inc(at, 16);
            c.inc(i, 4);
          },
        );
        const both = c.let(i64.or(i64x2.lane(wide, 0), i64x2.lane(wide, 1)));
        c.set(all, i64.or(i64.shr_u(both, 32n), i64.and(both, 0xffffffffn)));
        c.release(wide, x, at, both);
      });
      c.for(i, to, (k) => {
        loadInteger(c, value, i32.add(source, i32.mul(k, bytes)), bytes);
        c.set(all, i64.or(all, i64.xor(value, i64.shr_s(value, 63n))));
      });
      c.store64(target, all);
    },
  );
}

/** splitWeights(target, source, from, to): halves of the weights' digits, 2 n doubles each. */
function emitSplitWeights(m: ModuleBuilder, { field }: Pairs): void {
  m.function({ name: 'splitWeights', params: ['i32', 'i32', 'i32', 'i32'] }, (c, target, source, from, to) => {
    const size = 2 * field.bytes;
    c.for(from, to, (i) => {
      const x = field.splat(c, i32.add(source, i32.mul(i, field.bytes)));
      const halves = field.splitHalves(c, x);
      halves.forEach((half, k) => c.storeLane(i32.add(target, i32.mul(i, size)), half, 0, 8 * k));
      field.release(c, x, { limbs: halves, slack: 1 });
    });
  });
}

/**
 * contractIntegers(target, source, list, weightHalves, reduce, inner, bytes, reading, terms, from, to): outputs [from, to) of `contract`, for entries `bytes` apart, of
 * which `reading` says what is read. `list`: where it is said which row each weight is for, or 0. At most `terms` products are summed before they are joined; see `contractTerms`.
 */
function emitContractIntegers(m: ModuleBuilder, pairs: Pairs, scratch: ScratchPlan): void {
  const { field } = pairs;
  const sumBytes = 16 * 2 * field.n;
  const at = {
    tile: scratch.allocate(4 * Math.max(...[WIDE, TALL].map((t) => t.rows * t.columns))),
    sums: scratch.allocate((WIDE.columns / 2) * sumBytes),
    bases: scratch.allocate(4 * TALL.columns),
  };
  const params = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
  m.function(
    { name: 'contractIntegers', params },
    (c, target, source, list, weights, reduce, inner, bytes, reading, terms, from, to) => {
      const [tile, sums, bases] = [at.tile, at.sums, at.bases].map((k) => c.let(i32.add(scratchBase, k)));
      const stride = c.let(i32.mul(inner, bytes));
      const neighbours = c.let(i32.or(i32.ge_s(inner, NEIGHBOURS), i32.ne(list, 0)));
      const columns = c.let(i32.select(WIDE.columns, TALL.columns, neighbours));
      const height = c.let(i32.select(TALL.rows, terms, i32.lt_s(TALL.rows, terms)));
      c.set(height, i32.select(WIDE.rows, height, neighbours));
      const rowBytes = c.let(i32.shl(columns, 2));
      const first = c.let(from);
      const count = c.local('i32');
      c.while(
        () => i32.lt_s(first, to),
        () => {
          // This tile's columns; neighbours have the same outer index.
          c.set(count, i32.sub(to, first));
          c.set(count, i32.select(columns, count, i32.gt_s(count, columns)));
          c.if(neighbours, () => {
            const rest = c.let(i32.sub(inner, i32.rem_u(first, inner)));
            c.set(count, i32.select(rest, count, i32.lt_s(rest, count)));
            c.release(rest);
          });
          // Of neighbours, the first one's address says where all are.
          const listed = c.let(i32.select(1, count, neighbours));
          c.for(0, listed, (j) => {
            const t = c.let(i32.add(first, j));
            const o = c.let(i32.div_u(t, inner));
            const entry = i32.add(i32.mul(i32.mul(o, reduce), inner), i32.sub(t, i32.mul(o, inner)));
            c.store32(i32.add(bases, i32.shl(j, 2)), i32.add(source, i32.mul(entry, bytes)));
            c.release(t, o);
          });
          const out = c.let(i32.add(target, i32.mul(first, FR_SIZE)));
          c.fill(out, 0, i32.mul(count, FR_SIZE));
          c.fill(sums, 0, i32.mul(columns, sumBytes / 2));
          const pending = c.let(i32.const(0));
          const weight = c.let(weights);
          c.for(
            0,
            reduce,
            (d) => {
              const rows = c.let(i32.sub(reduce, d));
              c.set(rows, i32.select(height, rows, i32.gt_s(rows, height)));
              c.if(
                neighbours,
                () => {
                  const place = { base: i32.load(bases), list: i32.select(i32.add(list, i32.shl(d, 2)), 0, list) };
                  copyRows(c, { ...place, tile, rowBytes, stride, rows, count, bytes, reading });
                },
                () => copyColumns(c, { tile, bases, rowBytes, stride, rows, count, reading }),
              );
              c.for(0, count, (j) => addPair(j, rows, weight), 2);
              c.for(0, listed, (j) => {
                const base = c.let(i32.add(bases, i32.shl(j, 2)));
                const next = i32.add(i32.load(base), i32.mul(stride, height));
                c.store32(base, i32.select(i32.load(base), next, list));
                c.release(base);
              });
              c.inc(weight, i32.mul(height, 2 * field.bytes));
              c.inc(pending, height);
              const full = i32.gt_s(i32.add(pending, height), terms);
              c.if(i32.or(full, i32.ge_s(i32.add(d, height), reduce)), () => {
                joinSums(out);
                c.fill(sums, 0, i32.mul(columns, sumBytes / 2));
                c.set(pending, i32.const(0));
              });
              c.release(rows);
            },
            height,
          );
          c.release(listed, out, pending, weight);
          c.set(first, i32.add(first, count));
        },
      );

      /** Sums of columns j, j + 1 += rows of the tile times weights. */
      function addPair(j: I32, rows: I32, weight: I32): void {
        const kept = c.let(i32.add(sums, i32.mul(j, sumBytes / 2)));
        const x = c.local('v128');
        const at = c.let(i32.add(tile, i32.shl(j, 2)));
        const w = c.let(weight);
        const end = c.let(i32.add(w, i32.mul(rows, 2 * field.bytes)));
        const own = Array.from({ length: 2 * field.n }, (_, k) => c.let(v128.load(kept, 16 * k)));
        c.while(
          () => i32.lt_u(w, end),
          () => {
            c.set(x, f64x2.convert_low_i32x4_s(v128.load64_zero(at)));
            own.forEach((s, k) => c.set(s, field.multiplyAdd(x, v128.load64_splat(w, 8 * k), s)));
            c.inc(at, rowBytes);
            c.inc(w, 2 * field.bytes);
          },
        );
        own.forEach((s, k) => c.store128(kept, s, 16 * k));
        c.release(kept, x, at, w, end, ...own);
      }

      function joinSums(out: I32): void {
        c.for(
          0,
          count,
          (j) => {
            const kept = c.let(i32.add(sums, i32.mul(j, sumBytes / 2)));
            const halves = Array.from({ length: 2 * field.n }, (_, k) => c.let(v128.load(kept, 16 * k)));
            const joined = field.joinHalves(c, halves);
            const before = pairs.read(c, out, j, count);
            const sum = field.add(c, before, joined);
            const normal = field.normalize(c, sum);
            pairs.write(c, out, j, count, normal);
            c.release(kept, ...halves);
            field.release(c, joined, before, sum, normal);
          },
          2,
        );
      }
    },
  );
}

/** shiftAdd(target, more, from, to): target[i] = 2^16 target[i] + more[i]. */
function emitShiftAdd(m: ModuleBuilder, pairs: Pairs): void {
  const { field } = pairs;
  m.function({ name: 'shiftAdd', params: ['i32', 'i32', 'i32', 'i32'] }, (c, target, more, from, to) => {
    pairs.each(c, from, to, (i) => {
      const high = pairs.read(c, target, i, to);
      const low = pairs.read(c, more, i, to);
      const minus = field.scale(c, low, -1);
      const out = field.mul(c, high, field.constant(1n << 16n), { normal: true, minus });
      pairs.write(c, target, i, to, out);
      field.release(c, high, low, minus, out);
    });
  });
}
