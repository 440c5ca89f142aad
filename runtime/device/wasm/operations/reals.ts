/** Products of real matrices on the WASM device. */
import { REAL_COLUMNS, REAL_ROWS } from '../../../kernels/wasm/vectors/reals.ts';
import type { RealMatrices } from '../../device.ts';
import * as check from '../../shapes.ts';
import type { Context } from '../context.ts';

/** Nanoseconds for a product, and for an entry that is packed, on one thread. */
const COST = { product: 0.5, packed: 1 } as const;

type Shape = readonly [batch: number, outer: number, reduce: number, inner: number];

export function multiplyReals(ctx: Context, left: RealMatrices, right: RealMatrices, shape: Shape): Float64Array {
  check.checkProduct(left, right, shape);
  const [batch, outer, reduce, inner] = shape;
  const size = batch * outer * inner;
  if (size === 0 || reduce === 0) return new Float64Array(size);
  const rows = batch * REAL_ROWS * Math.ceil(outer / REAL_ROWS);
  const { values, offset, strides } = right;
  const used = strides.reduce((n, step, axis) => n + step * ([batch, reduce, inner][axis] - 1), 1);
  const bytes = values.BYTES_PER_ELEMENT;
  return ctx.temporary(8 * (size + rows * reduce), (target) =>
    ctx.temporary(bytes * used, (source) => {
      const { memory } = ctx.views;
      new Float64Array(memory.buffer, target, size).fill(0);
      const packed = target + 8 * size;
      packLeft(new Float64Array(memory.buffer, packed, rows * reduce), left, shape);
      const own = values.subarray(offset, offset + used);
      (bytes === 4 ? new Float32Array(memory.buffer, source, used) : new Float64Array(memory.buffer, source, used)).set(
        own,
      );
      const groups = batch * Math.ceil(inner / REAL_COLUMNS);
      const cost = reduce * REAL_COLUMNS * (COST.packed + outer * COST.product);
      const args = [target, packed, source, bytes, ...strides, outer, reduce, inner];
      ctx.launchModule('multiplyReals', () => ctx.core.reals(), groups, cost, args);
      return new Float64Array(memory.buffer.slice(target, target + 8 * size));
    }),
  );
}

/** Row by row, with rows of anything after each matrix's last one. */
function packLeft(out: Float64Array, { values, offset, strides }: RealMatrices, [batch, outer, reduce]: Shape): void {
  const [x, y, z] = strides;
  const rows = REAL_ROWS * Math.ceil(outer / REAL_ROWS);
  for (let b = 0; b < batch; b++)
    for (let o = 0; o < outer; o++) {
      const from = offset + b * x + o * y;
      let n = (b * rows + o) * reduce;
      for (let d = 0; d < reduce; d++) out[n++] = values[from + d * z];
    }
}
