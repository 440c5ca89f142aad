/**
 * Sums of products of operands over variables, pair by pair: the pair whose product is smallest first, and what no other
 * operand has summed over at once, as in tensor networks. A pair is a batch of matrix products.
 */
import { positionsOver } from './indices.ts';
import { densePositions, denseSize, variablesIn, type Operand } from './operands.ts';
import { EXACT, magnitude, TooWide } from './values.ts';

/** Rows of the right matrix that are multiplied at a time: they stay in the cache for all rows of the left one. */
const PANEL = 32;

/**
 * The sum over `reduced` of the product of the operands, as an operand over the other variables.
 *
 * @param exact whether operands are integers whose sums and products have to be exact
 * @throws TooWide if they would not be
 */
export function contract(
  operands: readonly Operand[],
  reduced: readonly number[],
  sizes: readonly number[],
  exact: boolean,
): Operand {
  const open = operands.length > 0 ? [...operands] : [ONE];
  const left = new Set(reduced);
  while (open.length > 1) {
    const [i, j] = smallestPair(open, sizes);
    const [b] = open.splice(j, 1);
    const [a] = open.splice(i, 1);
    const others = new Set(open.flatMap(variablesIn));
    const over = union(a, b).filter((id) => left.has(id) && !others.has(id));
    for (const id of over) left.delete(id);
    open.push(multiplyPair(a, b, over, sizes, exact));
  }
  const over = [...left];
  const [last] = open;
  return over.length === 0 ? last : multiplyPair(last, ONE, over, sizes, exact);
}

const ONE: Operand = { values: Float64Array.of(1), base: 0, tables: new Map(), bound: 1 };

const union = (a: Operand, b: Operand): number[] => [...new Set([...variablesIn(a), ...variablesIn(b)])];

function smallestPair(operands: readonly Operand[], sizes: readonly number[]): [number, number] {
  let best: [number, number] = [0, 1];
  let least = Infinity;
  for (let i = 0; i < operands.length; i++) {
    for (let j = i + 1; j < operands.length; j++) {
      const cost = union(operands[i], operands[j]).reduce((n, id) => n * sizes[id], 1);
      if (cost < least) [least, best] = [cost, [i, j]];
    }
  }
  return best;
}

/** The sum over `over` of a * b. */
function multiplyPair(
  a: Operand,
  b: Operand,
  over: readonly number[],
  sizes: readonly number[],
  exact: boolean,
): Operand {
  const kept = (x: Operand): number[] => variablesIn(x).filter((id) => !over.includes(id));
  const batch = kept(a).filter((id) => b.tables.has(id));
  const [left, right] = [a, b].map((x) => kept(x).filter((id) => !batch.includes(id)));
  const size = (ids: readonly number[]): number => ids.reduce((n, id) => n * sizes[id], 1);
  // The left operand is packed whole, for each batch.
  if (size(left) > size(right)) return multiplyPair(b, a, over, sizes, exact);
  const ids = [...batch, ...left, ...right];
  const [rows, columns, depth] = [size(left), size(right), size(over)];
  const of = (x: Operand, list: readonly number[]): Int32Array => positionsOver(list, sizes, x.tables);
  const [aBatch, bBatch] = [of(a, batch), of(b, batch)];
  const [aRows, bRows] = [of(a, left), of(b, right)];
  const [aDepth, bDepth] = [of(a, over), of(b, over)];
  const packed = new Float64Array(aBatch.length * rows * depth);
  for (let k = 0; k < aBatch.length; k++) pack(a, a.base + aBatch[k], aRows, 0, rows, aDepth, packed, k * rows * depth);
  const parts = exact ? exactParts(packed, depth, b.bound) : [{ values: packed, factor: 1 }];

  const sums = parts.map(() => new Float64Array(denseSize(ids, sizes)));
  const panel = new Float64Array(Math.min(PANEL, columns) * depth);
  for (let k = 0; k < aBatch.length; k++) {
    for (let from = 0; from < columns; from += PANEL) {
      const count = Math.min(PANEL, columns - from);
      pack(b, b.base + bBatch[k], bRows, from, count, bDepth, panel, 0);
      for (const [n, { values }] of parts.entries()) {
        const block = { start: k * rows * columns + from, stride: columns };
        multiplyRows(values, k * rows * depth, rows, panel, count, depth, sums[n], block);
      }
    }
  }
  const values = joinParts(
    sums,
    parts.map((part) => part.factor),
  );
  return { values, ...densePositions(ids, sizes), bound: exact ? magnitude(values) : Infinity };
}

function pack(
  { values }: Operand,
  base: number,
  rows: Int32Array,
  from: number,
  count: number,
  depth: Int32Array,
  out: Float64Array,
  at: number,
): void {
  const { length } = values;
  for (let r = 0, n = at; r < count; r++) {
    const start = base + rows[from + r];
    for (let k = 0; k < depth.length; k++) {
      const position = start + depth[k];
      out[n++] = position >= 0 && position < length ? values[position] : 0;
    }
  }
}

/** A matrix and the power of two it is to be multiplied by. */
interface Part {
  readonly values: Float64Array;
  readonly factor: number;
}

/**
 * The left matrices as a sum of parts, such that no sum of products with entries up to `bound` passes 2^53: one part,
 * nearly always.
 */
function exactParts(packed: Float64Array, depth: number, bound: number): Part[] {
  let most = 0;
  for (let r = 0; r < packed.length; r += Math.max(1, depth)) {
    let total = 0;
    for (let k = r; k < r + depth; k++) total += Math.abs(packed[k]);
    if (total > most) most = total;
  }
  // The sum of magnitudes may itself be rounded, by less than one part in 2^20.
  if (most * bound * (1 + 2 ** -20) < EXACT) return [{ values: packed, factor: 1 }];
  const bits = Math.floor(52 - Math.log2(Math.max(1, bound) * depth));
  if (bits < 4) throw new TooWide();
  const unit = 2 ** bits;
  const high = packed.map((v) => Math.floor(v / unit));
  if (magnitude(high) * bound * depth >= EXACT / 2) throw new TooWide();
  return [
    { values: high, factor: unit },
    { values: packed.map((v, k) => v - unit * high[k]), factor: 1 },
  ];
}

function joinParts(sums: readonly Float64Array[], factors: readonly number[]): Float64Array {
  if (sums.length === 1) return sums[0];
  const [high, low] = sums;
  for (let i = 0; i < low.length; i++) {
    const upper = high[i] * factors[0];
    if (Math.abs(upper) >= EXACT / 2) throw new TooWide();
    low[i] += upper;
  }
  return low;
}

/** out[start + r * stride + c] = sum(k) a[r, k] * b[c, k], a from `at`. */
function multiplyRows(
  a: Float64Array,
  at: number,
  rows: number,
  b: Float64Array,
  columns: number,
  depth: number,
  out: Float64Array,
  { start, stride }: { readonly start: number; readonly stride: number },
): void {
  let r = 0;
  for (; r + 1 < rows; r += 2) {
    const p = at + r * depth;
    const q = p + depth;
    const to = start + r * stride;
    let c = 0;
    for (; c + 1 < columns; c += 2) {
      const x = c * depth;
      const y = x + depth;
      let px = 0;
      let py = 0;
      let qx = 0;
      let qy = 0;
      for (let k = 0; k < depth; k++) {
        const u = a[p + k];
        const v = a[q + k];
        const s = b[x + k];
        const t = b[y + k];
        px += u * s;
        py += u * t;
        qx += v * s;
        qy += v * t;
      }
      out[to + c] = px;
      out[to + c + 1] = py;
      out[to + c + stride] = qx;
      out[to + c + stride + 1] = qy;
    }
    if (c < columns) {
      out[to + c] = dot(a, p, b, c * depth, depth);
      out[to + c + stride] = dot(a, q, b, c * depth, depth);
    }
  }
  if (r < rows)
    for (let c = 0; c < columns; c++) out[start + r * stride + c] = dot(a, at + r * depth, b, c * depth, depth);
}

function dot(a: Float64Array, i: number, b: Float64Array, j: number, depth: number): number {
  let sum = 0;
  for (let k = 0; k < depth; k++) sum += a[i + k] * b[j + k];
  return sum;
}
