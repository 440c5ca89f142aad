/**
 * Operations of the WASM device on integers alone: exact matrix products, histograms.
 */
import type { Device, IntVector } from '../device.ts';
import * as check from '../shapes.ts';
import type { Context } from './context.ts';
import { addressOf } from './vectors.ts';

/** Nanoseconds for a product of 16-bit integers and of others, on one thread. */
const COST = { small: 0.5, any: 1.5 } as const;

export function integerOperations(ctx: Context): Pick<Device, 'multiplyIntegers' | 'histogram'> {
  return {
    multiplyIntegers: async (left, right, shape) => multiplyIntegers(ctx, left, right, shape),

    async histogram(v, first, size) {
      return ctx.temporary(4 * size, (target) => {
        const address = addressOf(v);
        ctx.views.u8.fill(0, target, target + 4 * size);
        const bad = ctx.exports.histogram(target, address, v.bytes, first, size, 0, v.length);
        if (bad >= 0) throw check.histogramError(integerAt(ctx, v, bad), bad, first, size);
        return ctx.views.i32.slice(target / 4, target / 4 + size);
      });
    },
  };
}

function integerAt(ctx: Context, v: IntVector, i: number): bigint {
  const view = new DataView(ctx.views.memory.buffer, addressOf(v) + i * v.bytes, v.bytes);
  if (v.bytes === 8) return view.getBigInt64(0, true);
  return BigInt(v.bytes === 4 ? view.getInt32(0, true) : view.getInt16(0, true));
}

function multiplyIntegers(
  ctx: Context,
  left: IntVector,
  right: IntVector,
  shape: readonly [number, number, number],
): BigInt64Array {
  check.checkProduct(left, right, shape);
  const [outer, reduce, inner] = shape;
  const size = outer * inner;
  return ctx.temporary(8 * size, (target) => {
    const read = () => new BigInt64Array(ctx.views.memory.buffer.slice(target, target + 8 * size));
    if (left.bytes !== 2 || right.bytes !== 2) {
      const args = [addressOf(left), addressOf(right), left.bytes, right.bytes, reduce, inner];
      ctx.launch('multiplyAny', outer, reduce * inner * COST.any, target, args);
      return read();
    }
    const stride = Math.ceil(reduce / 8) * 8;
    return ctx.temporary(2 * stride * (outer + inner), (rows) => {
      const columns = rows + 2 * stride * outer;
      ctx.exports.pack16(rows, addressOf(left), reduce, stride, reduce, 1, 0, outer);
      ctx.exports.pack16(columns, addressOf(right), reduce, stride, 1, inner, 0, inner);
      // The larger dimension is spread over the threads; a single row may stand for a column of results.
      if (outer === 1) ctx.launch('multiply16', inner, reduce * COST.small, target, [columns, rows, stride, 1]);
      else ctx.launch('multiply16', outer, inner * reduce * COST.small, target, [rows, columns, stride, inner]);
      return read();
    });
  });
}
