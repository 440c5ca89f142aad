/**
 * Products of integer matrices, exact modulo 2^64, by 16-bit digits: v = sum of d_p 2^(w p), -2^(w-1) <= d_p < 2^(w-1), so that all
 * work is in sums of products of 16-bit integers. Blocks are packed for the innermost loop as in Goto and van de Geijn, "Anatomy of
 * High-Performance Matrix Multiplication" (ACM TOMS 34(3), 2008).
 */
import {
  i16x8,
  i32,
  i32x4,
  i64,
  i64x2,
  v128,
  type I32,
  type I64,
  type Int,
  type Local,
  type V128,
} from '../emit/code.ts';
import { ScratchPlan } from '../emit/layout.ts';
import { scratchBase, type Code, type ModuleBuilder } from '../emit/module.ts';
import { loadInteger } from './scalar.ts';

/** Columns of the right matrix that are packed together: a cache line of a row of 16-bit entries. */
export const PANEL_COLUMNS = 32;
/** Rows of the right matrix that are packed together. */
const PANEL_ROWS = 256;
/** Columns of a tile, and bytes of a part of a panel that has as many. */
const TILE = 8;
const PART_BYTES = 2 * TILE * PANEL_ROWS;
/** Packed rows of the left matrix are padded with zeros to a multiple of this many entries: what innermost iterations take. */
export const PACKED = 8;

export function emitProductKernels(m: ModuleBuilder): void {
  emitPackRows(m);
  emitMultiply(m);
}

/** Makes `bias` what an integer's digits below number `digit` round with. */
function setBias(c: Code, bias: Local<'i64'>, digit: Int, width: I64): void {
  c.set(bias, i64.const(0n));
  c.for(0, digit, () => c.set(bias, i64.or(i64.shl(bias, width), i64.shl(1n, i64.sub(width, 1n)))));
}

/**
 * packRows(target, source, bytes, rowStep, entryStep, length, stride, digit, width, from, to): digit number `digit`, of `width` bits, of the
 * entries of each row, padded with zeros to `stride` entries. Returns 1 if one of them is -2^15, else 0.
 */
function emitPackRows(m: ModuleBuilder): void {
  const params = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
  m.function(
    { name: 'packRows', params, result: 'i32' },
    (c, target, source, bytes, rowStep, entryStep, length, stride, digit, width, from, to) => {
      const [value, bias] = [c.local('i64'), c.local('i64')];
      const wide = c.let(i64.extend_u(width));
      const shift = c.let(i64.mul(wide, i64.extend_u(digit)));
      const unused = c.let(i64.sub(64n, wide));
      const found = c.let(i32.const(0));
      const small = c.local('i32');
      setBias(c, bias, digit, wide);
      c.for(from, to, (row) => {
        const out = c.let(i32.add(target, i32.shl(i32.mul(row, stride), 1)));
        const at = c.let(i32.add(source, i32.mul(i32.mul(row, rowStep), bytes)));
        c.for(0, length, () => {
          loadInteger(c, value, at, bytes);
          const shifted = i64.shr_s(i64.add(value, bias), shift);
          c.set(small, i32.wrap(i64.shr_s(i64.shl(shifted, unused), unused)));
          c.set(found, i32.or(found, i32.eq(small, -(2 ** 15))));
          c.store16(out, small);
          c.inc(out, 2);
          c.inc(at, i32.mul(entryStep, bytes));
        });
        c.if(i32.ne(stride, length), () => c.fill(out, 0, i32.shl(i32.sub(stride, length), 1)));
        c.release(out, at);
      });
      c.return(found);
    },
  );
}

/**
 * multiply(target, left, digits, width, digitBytes, stride, right, bytes, batchStep, rowStep, columnStep, digit, outer, reduce, inner, from, to):
 * target[b, o, i] += sum over d and p of 2^(width p + 16 digit) left[p, b, o, d] right[b, d, i]'s digit number `digit`, of 16 bits.
 *
 * `left` has `digits` packed parts, `digitBytes` apart, with an even number of rows of `stride` entries for each b; none is -2^15. Steps
 * count entries. [from, to) are groups of `PANEL_COLUMNS` columns, batch by batch.
 *
 * A sum of two products fits 32 bits. Its high half is summed in 32 bits, and so is all of it modulo 2^32, which says what the low halves
 * add up to.
 */
function emitMultiply(m: ModuleBuilder): void {
  const panel = new ScratchPlan().allocate((PANEL_COLUMNS / TILE) * PART_BYTES);
  m.function({ name: 'multiply', params: Array.from({ length: 17 }, () => 'i32' as const) }, (c, ...params) => {
    const [target, left, digits, width, digitBytes, stride, right, bytes] = params;
    const [batchStep, rowStep, columnStep, digit, outer, reduce, inner, from, to] = params.slice(8);
    const evenOuter = c.let(i32.and(i32.add(outer, 1), -2));
    const groups = c.let(i32.div_u(i32.add(inner, PANEL_COLUMNS - 1), PANEL_COLUMNS));
    c.for(from, to, (group) => {
      const b = c.let(i32.div_u(group, groups));
      const first = c.let(i32.mul(i32.sub(group, i32.mul(b, groups)), PANEL_COLUMNS));
      const columns = c.let(minimum(i32.sub(inner, first), PANEL_COLUMNS));
      const source = c.let(at(right, i32.add(i32.mul(b, batchStep), i32.mul(first, columnStep)), bytes));
      c.for(
        0,
        reduce,
        (k) => {
          const rows = c.let(minimum(i32.sub(reduce, k), PANEL_ROWS));
          const block = c.let(at(source, i32.mul(k, rowStep), bytes));
          packPanel(c, i32.add(scratchBase, panel), { block, bytes, rowStep, columnStep, digit, rows, columns });
          c.for(
            0,
            columns,
            (column) => {
              const part = c.let(i32.add(i32.add(scratchBase, panel), i32.mul(column, PART_BYTES / TILE)));
              const rest = c.let(i32.sub(columns, column));
              c.for(
                0,
                outer,
                (o) => {
                  const row = c.let(i32.add(i32.mul(b, outer), o));
                  const out = c.let(at(target, i32.add(i32.mul(row, inner), i32.add(first, column)), 8));
                  c.set(row, i32.add(i32.mul(b, evenOuter), o));
                  const own = c.let(at(left, i32.add(i32.mul(row, stride), k), 2));
                  const shift = c.let(i32.mul(digit, 16));
                  c.for(0, digits, () => {
                    tile(c, {
                      out,
                      own,
                      part,
                      stride,
                      rows,
                      rest,
                      shift,
                      inner,
                      isPair: i32.lt_s(i32.add(o, 1), outer),
                    });
                    c.inc(own, digitBytes);
                    c.inc(shift, width);
                  });
                  c.release(row, out, own, shift);
                },
                2,
              );
              c.release(part, rest);
            },
            TILE,
          );
          c.release(rows, block);
        },
        PANEL_ROWS,
      );
      c.release(b, first, columns, source);
    });
  });
}

const minimum = (a: I32, b: number): I32 => i32.select(a, b, i32.lt_s(a, b));

/** Address of an entry. */
const at = (base: I32, entry: I32, bytes: Int): I32 => i32.add(base, i32.mul(entry, bytes));

interface Block {
  readonly block: I32;
  readonly bytes: I32;
  readonly rowStep: I32;
  readonly columnStep: I32;
  readonly digit: I32;
  readonly rows: I32;
  readonly columns: I32;
}

/**
 * For each tile of columns and each pair of rows: the pairs of entries of its columns. What lies beyond the last row or column is
 * anything: the left matrix is padded with zeros, and no result is taken from there.
 */
function packPanel(c: Code, panel: I32, { block, bytes, rowStep, columnStep, digit, rows, columns }: Block): void {
  const isLast = (row: I32): I32 => i32.ge_s(i32.add(row, 1), rows);
  const small = i32.eq(bytes, 2);
  const byRows = i32.and(small, i32.eq(columnStep, 1));
  c.if(
    byRows,
    () => {
      const rowBytes = c.let(i32.shl(rowStep, 1));
      const a = c.let(block);
      const out = c.let(panel);
      c.for(
        0,
        rows,
        (row) => {
          const b = c.let(i32.add(a, i32.select(0, rowBytes, isLast(row))));
          for (let t = 0; t < PANEL_COLUMNS / TILE; t++)
            c.if(i32.gt_s(columns, t * TILE), () => {
              const [x, y] = [c.let(v128.load(a, 2 * TILE * t)), c.let(v128.load(b, 2 * TILE * t))];
              c.store128(out, i16x8.interleaveLow(x, y), t * PART_BYTES);
              c.store128(out, i16x8.interleaveHigh(x, y), t * PART_BYTES + 16);
              c.release(x, y);
            });
          c.set(a, i32.add(a, i32.shl(rowBytes, 1)));
          c.inc(out, 4 * TILE);
          c.release(b);
        },
        2,
      );
      c.release(rowBytes, a, out);
    },
    () => {
      const value = c.local('i64');
      const bias = c.local('i64');
      const shift = c.let(i64.extend_u(i32.mul(digit, 16)));
      setBias(c, bias, digit, i64.const(16n));
      const digitAt = (address: I32): I32 => {
        loadInteger(c, value, address, bytes);
        return i32.wrap(i64.shr_s(i64.add(value, bias), shift));
      };
      const step = c.let(i32.mul(rowStep, bytes));
      c.for(0, columns, (column) => {
        const a = c.let(at(block, i32.mul(column, columnStep), bytes));
        const offset = i32.add(i32.mul(i32.shr_u(column, 3), PART_BYTES), i32.shl(i32.and(column, TILE - 1), 2));
        const out = c.let(i32.add(panel, offset));
        const low = c.local('i32');
        c.if(
          i32.and(small, i32.eq(rowStep, 1)),
          // Both entries at once; the last one's neighbour may be anything, and lies in the block's spare bytes at worst.
          () =>
            c.for(
              0,
              rows,
              () => {
                c.store32(out, i32.load(a));
                c.inc(a, 4);
                c.inc(out, 4 * TILE);
              },
              2,
            ),
          () =>
            c.for(
              0,
              rows,
              (row) => {
                c.set(low, i32.and(digitAt(a), 0xffff));
                c.set(a, i32.add(a, i32.select(0, step, isLast(row))));
                c.store32(out, i32.or(low, i32.shl(digitAt(a), 16)));
                c.inc(a, step);
                c.inc(out, 4 * TILE);
              },
              2,
            ),
        );
        c.release(a, out, low);
      });
      c.release(value, bias, shift, step);
    },
  );
}

interface Tile {
  /** Where the result of the first row and column belongs. */
  readonly out: I32;
  /** The first row of the packed left matrix. */
  readonly own: I32;
  /** The packed columns. */
  readonly part: I32;
  readonly stride: I32;
  readonly rows: I32;
  /** Columns from here on. */
  readonly rest: I32;
  readonly shift: I32;
  readonly inner: I32;
  /** Whether there is a second row. */
  readonly isPair: I32;
}

/** Two rows times `TILE` columns. */
function tile(c: Code, { out, own, part, stride, rows, rest, shift, inner, isPair }: Tile): void {
  const sums = Array.from({ length: 4 }, () => ({
    all: c.let(v128.const([0n, 0n])),
    high: c.let(v128.const([0n, 0n])),
  }));
  const a = c.let(own);
  const b = c.let(i32.add(own, i32.shl(stride, 1)));
  const y = c.let(part);
  const product = c.local('v128');
  const [x0, x1, y0] = [c.local('v128'), c.local('v128'), c.local('v128')];
  c.for(
    0,
    rows,
    () => {
      for (let pair = 0; pair < PACKED / 2; pair++) {
        c.set(x0, v128.load32_splat(a, 4 * pair));
        c.set(x1, v128.load32_splat(b, 4 * pair));
        for (const half of [0, 1]) {
          c.set(y0, v128.load(y, 4 * TILE * pair + 16 * half));
          for (const [row, x] of [x0, x1].entries()) {
            const { all, high } = sums[2 * row + half];
            c.set(product, i32x4.dot_i16x8_s(x, y0));
            c.set(all, i32x4.add(all, product));
            c.set(high, i32x4.add(high, i32x4.shr_s(product, 16)));
          }
        }
      }
      c.inc(a, 2 * PACKED);
      c.inc(b, 2 * PACKED);
      c.inc(y, 2 * TILE * PACKED);
    },
    PACKED,
  );
  const flush = (row: number, to: I32): void => {
    for (const half of [0, 1]) {
      const { all, high } = sums[2 * row + half];
      // What the low halves add up to is less than 2^32.
      c.set(all, i32x4.sub(all, i32x4.shl(high, 16)));
      const total = (low: V128, up: V128): V128 => i64x2.shl(i64x2.add(low, i64x2.shl(up, 16)), shift);
      addPair(c, to, rest, 4 * half, total(i64x2.extend_low_i32x4_u(all), i64x2.extend_low_i32x4_s(high)));
      addPair(c, to, rest, 4 * half + 2, total(i64x2.extend_high_i32x4_u(all), i64x2.extend_high_i32x4_s(high)));
    }
  };
  flush(0, out);
  c.if(isPair, () => {
    const second = c.let(at(out, inner, 8));
    flush(1, second);
    c.release(second);
  });
  for (const { all, high } of sums) c.release(all, high);
  c.release(a, b, y, product, x0, x1, y0);
}

/** Adds two results to columns number `column` and after, as far as there are such. */
function addPair(c: Code, to: I32, rest: I32, column: number, value: V128): void {
  const offset = 8 * column;
  c.if(i32.gt_s(rest, column + 1), () => c.store128(to, i64x2.add(v128.load(to, offset), value), offset));
  c.if(i32.eq(rest, column + 1), () => c.store64(to, i64.add(i64.load(to, offset), i64x2.lane(value, 0)), offset));
}
