/**
 * Contractions of integers by field elements on the WASM device.
 */
import { contractTerms, WHOLE_BITS } from '../../../kernels/wasm/vectors/contract.ts';
import { FR_SIZE } from '../../../kernels/wasm/emit/layout.ts';
import { READING } from '../../../kernels/wasm/vectors/tiles.ts';
import type { FrVector, IntVector } from '../../device.ts';
import type { Context } from '../context.ts';
import { addressOf, type WasmIntVector, type WasmVector } from '../vectors.ts';

/** Nanoseconds on one thread: a product, one of an element, reading an integer. */
const COST = { small: 1.5, product: 25, split: 20, read: 0.5 } as const;

/** How a sum over `reduce` weights goes through the integers. */
interface Shape {
  readonly reduce: number;
  readonly inner: number;
  /** Which row of `inner` entries each weight is for; left out, those from the first on. */
  readonly rows?: Int32Array;
}

/** out[o, i] = sum over d of weights[d] * v[o, d, i], v of shape [outer, reduce, inner]; with `rows` v[rows[d], i]. */
export function contractIntegers(
  ctx: Context,
  v: IntVector,
  { reduce, inner, rows }: Shape,
  weights: FrVector,
  out: WasmVector<'fr'>,
): void {
  if (out.length === 0) return;
  const block = 2 * FR_SIZE * reduce;
  ctx.temporary(block + 4 * (rows?.length ?? 0), (halves) => {
    const list = rows === undefined ? 0 : halves + block;
    if (rows) ctx.views.i32.set(rows, list / 4);
    ctx.launch('splitWeights', reduce, COST.split, halves, [addressOf(weights)]);
    const source = addressOf(v);
    const run = (target: number, from: number, reading: number, bits: number): void => {
      const terms = contractTerms(bits);
      const args = [from, list, halves, reduce, inner, v.bytes, reading, terms];
      ctx.launch('contractIntegers', out.length, reduce * COST.small, target, args);
    };
    const bits = significantBits(ctx, v as unknown as WasmIntVector);
    if (bits <= WHOLE_BITS) return run(out.address, source, v.bytes === 2 ? READING.signed16 : READING.signed32, bits);
    // Parts of 16 bits, of which the first has the sign.
    const parts = Math.ceil(bits / 16);
    run(out.address, source + 2 * (parts - 1), READING.signed16, 16);
    ctx.temporary(FR_SIZE * out.length, (more) => {
      for (let part = parts - 2; part >= 0; part--) {
        run(more, source + 2 * part, READING.unsigned16, 17);
        ctx.launch('shiftAdd', out.length, COST.product, out.address, [more]);
      }
    });
  });
}

/** Bits that hold every entry with its sign: integers are often kept in wider types than they need. */
export function significantBits(ctx: Context, v: WasmIntVector): number {
  if (v.bytes === 2) return 16;
  if (v.bits !== undefined) return v.bits;
  // What holds for a whole vector holds for its parts, of which there may be many.
  if (v.whole !== v) {
    const bits = significantBits(ctx, v.whole);
    if (bits <= WHOLE_BITS) return bits;
  }
  return (v.bits = ctx.temporary(8 * ctx.pool.threads, (target) => {
    const parts = ctx.launch('significantBits', v.length, COST.read * v.bytes, target, [v.address, v.bytes], 8);
    const words = new BigUint64Array(ctx.views.memory.buffer, target, parts);
    const differing = words.reduce((a, b) => a | b, 0n);
    return differing === 0n ? 1 : differing.toString(2).length + 1;
  }));
}
