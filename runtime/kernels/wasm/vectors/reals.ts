/**
 * Products of real matrices in float64, blocked as those of integers are (Goto and van de Geijn, "Anatomy of High-Performance Matrix
 * Multiplication", ACM TOMS 34(3), 2008). Sums are added up in an order that depends on the shape alone, without fused
 * operations: every processor and every number of threads computes the same.
 */
import { f64x2, i32, v128, type I32 } from '../emit/code.ts';
import { ScratchPlan } from '../emit/layout.ts';
import { scratchBase, type Code, type ModuleBuilder } from '../emit/module.ts';

/** Columns of the right matrix that are packed together, and of a tile. */
export const REAL_COLUMNS = 8;
const TILE = 4;
/** Rows of a tile; the left matrix has a multiple of them. */
export const REAL_ROWS = 4;
/** Rows of the right matrix that are packed together. */
const PANEL_ROWS = 256;
const DOUBLE = 8;
const PART_BYTES = DOUBLE * TILE * PANEL_ROWS;

/**
 * multiplyReals(target, left, right, bytes, batchStep, rowStep, columnStep, outer, reduce, inner, from, to):
 * target[b, o, i] += sum over d of left[b, o, d] * right[b, d, i].
 *
 * `left` has a multiple of `REAL_ROWS` rows for each b, padded with any numbers, of float64. `right` has floats of `bytes` bytes,
 * 4 or 8; steps count entries. [from, to) are groups of `REAL_COLUMNS` columns, batch by batch.
 */
export function emitRealProducts(m: ModuleBuilder): void {
  const panel = new ScratchPlan().allocate((REAL_COLUMNS / TILE) * PART_BYTES);
  m.function({ name: 'multiplyReals', params: Array.from({ length: 12 }, () => 'i32' as const) }, (c, ...params) => {
    const [target, left, right, bytes, batchStep, rowStep, columnStep, outer, reduce, inner, from, to] = params;
    const rowsOfBatch = c.let(i32.and(i32.add(outer, REAL_ROWS - 1), -REAL_ROWS));
    const groups = c.let(i32.div_u(i32.add(inner, REAL_COLUMNS - 1), REAL_COLUMNS));
    c.for(from, to, (group) => {
      const b = c.let(i32.div_u(group, groups));
      const first = c.let(i32.mul(i32.sub(group, i32.mul(b, groups)), REAL_COLUMNS));
      const columns = c.let(minimum(i32.sub(inner, first), REAL_COLUMNS));
      const start = i32.add(i32.mul(b, batchStep), i32.mul(first, columnStep));
      const source = c.let(i32.add(right, i32.mul(start, bytes)));
      c.for(
        0,
        reduce,
        (k) => {
          const rows = c.let(minimum(i32.sub(reduce, k), PANEL_ROWS));
          const block = c.let(i32.add(source, i32.mul(i32.mul(k, rowStep), bytes)));
          packPanel(c, i32.add(scratchBase, panel), { block, bytes, rowStep, columnStep, rows, columns });
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
                  const at = i32.add(i32.mul(row, inner), i32.add(first, column));
                  const out = c.let(i32.add(target, i32.mul(at, DOUBLE)));
                  c.set(row, i32.add(i32.mul(b, rowsOfBatch), o));
                  const own = c.let(i32.add(left, i32.mul(i32.add(i32.mul(row, reduce), k), DOUBLE)));
                  tile(c, { out, own, part, stride: reduce, rows, rest, inner, under: i32.sub(outer, o) });
                  c.release(row, out, own);
                },
                REAL_ROWS,
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

interface Block {
  readonly block: I32;
  readonly bytes: I32;
  readonly rowStep: I32;
  readonly columnStep: I32;
  readonly rows: I32;
  readonly columns: I32;
}

/** For each tile of columns its rows, in float64. What lies beyond the last column is anything. */
function packPanel(c: Code, panel: I32, { block, bytes, rowStep, columnStep, rows, columns }: Block): void {
  const step = c.let(i32.mul(rowStep, bytes));
  c.for(0, columns, (column) => {
    const a = c.let(i32.add(block, i32.mul(i32.mul(column, columnStep), bytes)));
    const part = i32.mul(i32.div_u(column, TILE), PART_BYTES);
    const out = c.let(i32.add(panel, i32.add(part, i32.mul(i32.and(column, TILE - 1), DOUBLE))));
    const copy = (load: (address: I32) => ReturnType<typeof v128.load>): void =>
      c.for(0, rows, () => {
        c.storeLane(out, load(a), 0);
        c.set(a, i32.add(a, step));
        c.inc(out, DOUBLE * TILE);
      });
    c.if(
      i32.eq(bytes, 4),
      () => copy((address) => f64x2.promote_low_f32x4(v128.load32_zero(address))),
      () => copy((address) => v128.load64_zero(address)),
    );
    c.release(a, out);
  });
  c.release(step);
}

interface Tile {
  /** Where the result of the first row and column belongs. */
  readonly out: I32;
  /** The first row of the left matrix. */
  readonly own: I32;
  /** The packed columns. */
  readonly part: I32;
  /** Entries of a row of the left matrix. */
  readonly stride: I32;
  readonly rows: I32;
  /** Columns from here on. */
  readonly rest: I32;
  readonly inner: I32;
  /** Rows of the result from here on. */
  readonly under: I32;
}

/** `REAL_ROWS` rows times `TILE` columns. */
function tile(c: Code, { out, own, part, stride, rows, rest, inner, under }: Tile): void {
  const sums = Array.from({ length: REAL_ROWS }, () => [0, 1].map(() => c.let(v128.const([0n, 0n]))));
  const lefts = sums.map((_, r) => c.let(i32.add(own, i32.mul(i32.mul(stride, r), DOUBLE))));
  const y = c.let(part);
  const [x, y0, y1] = [c.local('v128'), c.local('v128'), c.local('v128')];
  c.for(0, rows, () => {
    c.set(y0, v128.load(y));
    c.set(y1, v128.load(y, 16));
    for (const [r, left] of lefts.entries()) {
      c.set(x, v128.load64_splat(left));
      c.set(sums[r][0], f64x2.add(sums[r][0], f64x2.mul(x, y0)));
      c.set(sums[r][1], f64x2.add(sums[r][1], f64x2.mul(x, y1)));
      c.inc(left, DOUBLE);
    }
    c.inc(y, DOUBLE * TILE);
  });
  const to = c.let(out);
  for (const [r, row] of sums.entries()) {
    c.if(i32.gt_s(under, r), () => {
      for (const [half, sum] of row.entries()) addPair(c, to, rest, 2 * half, sum);
    });
    c.set(to, i32.add(to, i32.mul(inner, DOUBLE)));
  }
  c.release(...sums.flat(), ...lefts, y, x, y0, y1, to);
}

/** Adds two results to columns number `column` and after, as far as there are such. */
function addPair(c: Code, to: I32, rest: I32, column: number, sum: ReturnType<typeof v128.load>): void {
  const offset = DOUBLE * column;
  c.if(i32.gt_s(rest, column + 1), () => c.store128(to, f64x2.add(v128.load(to, offset), sum), offset));
  c.if(i32.eq(rest, column + 1), () => c.storeLane(to, f64x2.add(v128.load64_zero(to, offset), sum), 0, offset));
}
