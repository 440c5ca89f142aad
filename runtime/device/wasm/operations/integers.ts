/**
 * Operations of the WASM device on integers alone: exact matrix products, histograms.
 */
import { PACKED, PANEL_COLUMNS } from '../../../kernels/wasm/vectors/products.ts';
import type { Device, IntMatrices, IntVector } from '../../device.ts';
import * as check from '../../shapes.ts';
import type { Context } from '../context.ts';
import { significantBits } from './contract.ts';
import { addressOf, type WasmIntVector } from '../vectors.ts';

/** Nanoseconds for a product of 16-bit integers, and for an entry that is packed, on one thread. */
const COST = { product: 0.15, packed: 0.5 } as const;

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

/** Width of digits, where the left matrix has no digit -2^15, and where it has one. */
const DIGIT = { usual: 16, narrow: 15 } as const;

function multiplyIntegers(
  ctx: Context,
  left: IntMatrices,
  right: IntMatrices,
  shape: readonly [number, number, number, number],
): BigInt64Array {
  check.checkProduct(left, right, shape);
  const [batch, outer, reduce, inner] = shape;
  const size = batch * outer * inner;
  if (size === 0) return new BigInt64Array(0);
  const rows = batch * 2 * Math.ceil(outer / 2);
  const stride = Math.ceil(reduce / PACKED) * PACKED;
  const digitBytes = 2 * rows * stride;
  const most = digitCount(ctx, left.vector, DIGIT.narrow);
  return ctx.temporary(8 * size, (target) =>
    ctx.temporary(most * digitBytes, (packed) => {
      let [width, digits]: [number, number] = [DIGIT.usual, digitCount(ctx, left.vector, DIGIT.usual)];
      if (packLeft(ctx, packed, left, shape, stride, width, digits)) {
        [width, digits] = [DIGIT.narrow, most];
        packLeft(ctx, packed, left, shape, stride, width, digits);
      }
      ctx.views.u8.fill(0, target, target + 8 * size);
      const [batchStep, rowStep, columnStep] = right.strides;
      const source = addressOf(right.vector) + right.offset * right.vector.bytes;
      const matrix = [source, right.vector.bytes, batchStep, rowStep, columnStep];
      const groups = batch * Math.ceil(inner / PANEL_COLUMNS);
      const rightDigits = digitCount(ctx, right.vector, DIGIT.usual);
      for (let digit = 0; digit < rightDigits; digit++) {
        const useful = Math.min(digits, Math.ceil((64 - DIGIT.usual * digit) / width));
        const cost = reduce * PANEL_COLUMNS * (COST.packed + outer * useful * COST.product);
        const args = [packed, useful, width, digitBytes, stride, ...matrix, digit, outer, reduce, inner];
        ctx.launch('multiply', groups, cost, target, args);
      }
      return new BigInt64Array(ctx.views.memory.buffer.slice(target, target + 8 * size));
    }),
  );
}

/** Digits of the left matrices, one after the other. Whether one is -2^15. */
function packLeft(
  ctx: Context,
  target: number,
  { vector, offset, strides }: IntMatrices,
  [batch, outer, reduce]: readonly [number, number, number, number],
  stride: number,
  width: number,
  digits: number,
): boolean {
  const even = 2 * Math.ceil(outer / 2);
  let found = 0;
  for (let digit = 0; digit < digits; digit++)
    for (let b = 0; b < batch; b++) {
      const source = addressOf(vector) + (offset + b * strides[0]) * vector.bytes;
      const to = target + 2 * (digit * batch + b) * even * stride;
      found |= ctx.exports.packRows(
        to,
        source,
        vector.bytes,
        strides[1],
        strides[2],
        reduce,
        stride,
        digit,
        width,
        0,
        outer,
      );
    }
  return found !== 0;
}

/** How many digits of so many bits hold every entry; modulo 2^64, where that is enough. */
function digitCount(ctx: Context, v: IntVector, width: number): number {
  const most = 2n ** BigInt(significantBits(ctx, v as unknown as WasmIntVector) - 1);
  const half = 2n ** BigInt(width - 1);
  let unit = 1n;
  for (let count = 1; count * width < 64; count++, unit = 2n * half * unit + 1n)
    if (most <= half * unit && most - 1n <= (half - 1n) * unit) return count;
  return Math.ceil(64 / width);
}
