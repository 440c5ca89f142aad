/** Matrix products on this thread, in doubles. */
import type { Factor, SmallArray } from './factors.ts';
import type { MatrixProduct } from './products.ts';

/** Rows of the right matrix that are multiplied at a time: they stay in the cache for all rows of the left one. */
const PANEL = 32;

/** Factors have to be in doubles; of integers, the sums of magnitudes below 2^53. */
export function multiplyOnHost({ left, right, shape, leftAt, rightAt }: MatrixProduct): Float64Array {
  const [batches, rows, depth, columns] = shape;
  const [aBatch, aRows, aDepth] = leftAt;
  const [bBatch, bDepth, bColumns] = rightAt;
  const packed = new Float64Array(rows * depth);
  const panel = new Float64Array(Math.min(PANEL, columns) * depth);
  const out = new Float64Array(batches * rows * columns);
  for (let k = 0; k < batches; k++) {
    pack(left, aBatch[k], aRows, 0, rows, aDepth, packed);
    for (let from = 0; from < columns; from += PANEL) {
      const count = Math.min(PANEL, columns - from);
      pack(right, bBatch[k], bColumns, from, count, bDepth, panel);
      multiplyRows(packed, rows, panel, count, depth, out, { start: k * rows * columns + from, stride: columns });
    }
  }
  return out;
}

/** Rows one after the other, `depth` long. */
function pack(
  { values: given, base }: Factor,
  batch: number,
  rows: Int32Array,
  from: number,
  count: number,
  depth: Int32Array,
  out: Float64Array,
): void {
  const values = given as SmallArray;
  for (let r = 0, n = 0; r < count; r++) {
    const start = base + batch + rows[from + r];
    for (let k = 0; k < depth.length; k++) out[n++] = values[start + depth[k]];
  }
}

/** out[start + r * stride + c] = sum(k) a[r, k] * b[c, k], a  */
function multiplyRows(
  a: Float64Array,
  rows: number,
  b: Float64Array,
  columns: number,
  depth: number,
  out: Float64Array,
  { start, stride }: { readonly start: number; readonly stride: number },
): void {
  let r = 0;
  for (; r + 1 < rows; r += 2) {
    const p = r * depth;
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
  if (r < rows) for (let c = 0; c < columns; c++) out[start + r * stride + c] = dot(a, r * depth, b, c * depth, depth);
}

function dot(a: Float64Array, i: number, b: Float64Array, j: number, depth: number): number {
  let sum = 0;
  for (let k = 0; k < depth; k++) sum += a[i + k] * b[j + k];
  return sum;
}
