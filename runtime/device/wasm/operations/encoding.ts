/**
 * Points from and to bytes: compressed ones, which are checked when they are read, and affine ones of a list that is trusted.
 */
import { AFFINE_BYTES, POINT_BYTES } from '../../../curve/params.ts';
import { compressAffine, parseCompressed } from '../../../curve/spec.ts';
import { FQ_MODULUS } from '../../../field/params.ts';
import { INFINITY_MARK } from '../../../kernels/wasm/curve/curve.ts';
import { POINT_SIZE } from '../../../kernels/wasm/emit/layout.ts';
import { readWords, writeWords, type Context } from '../context.ts';

const COORDINATE = POINT_SIZE / 2;
/** Nanoseconds for a square root, a subgroup check. */
const COST = { root: 20_000, subgroup: 45_000 } as const;

/** Writes affine points (96 bytes each, all zero for infinity) in Montgomery form. */
export function uploadAffine(ctx: Context, target: number, bytes: Uint8Array): void {
  const count = bytes.length / AFFINE_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  ctx.temporary(AFFINE_BYTES * count, (words) => {
    const u64 = ctx.views.u64;
    for (let i = 0; i < 2 * count; i++)
      for (let j = 0; j < 6; j++) u64[words / 8 + 6 * i + j] = view.getBigUint64(POINT_BYTES * i + 40 - 8 * j);
    ctx.exports.fqFromWords(target, words, 0, 2 * count);
  });
}

/** Reads compressed points to an address: the first that is none, and why, if there is one. */
export function decodeAll(
  ctx: Context,
  bytes: Uint8Array,
  count: number,
  target: number,
): { readonly bad: number; readonly reason: 'encoding' | 'curve' | 'subgroup' } | undefined {
  const { views, exports } = ctx;
  const parsed = Array.from({ length: count }, (_, i) =>
    parseCompressed(bytes.subarray(POINT_BYTES * i, POINT_BYTES * (i + 1))),
  );
  return ctx.temporary(AFFINE_BYTES * count + 4 * count, (words) => {
    const good = words + AFFINE_BYTES * count;
    const u64 = views.u64;
    u64.fill(0n, words / 8, words / 8 + 12 * count);
    parsed.forEach((point, i) => point !== undefined && writeWords(u64, words / 8 + 12 * i, point.x, 6));
    exports.fqFromWords(target, words, 0, 2 * count);
    ctx.launch('roots', count, COST.root, target, [good]);
    const onCurve = views.i32.slice(good / 4, good / 4 + count);
    exports.fqToWords(words, target, 0, 2 * count);
    parsed.forEach((point, i) => {
      if (point === undefined) return;
      if (point.infinity) markInfinity(ctx, target + POINT_SIZE * i);
      else if (readWords(views.u64, words / 8 + 12 * i + 6, 6) > FQ_MODULUS / 2n !== point.larger)
        negateY(ctx, target + POINT_SIZE * i);
    });
    ctx.launch('inSubgroup', count, COST.subgroup, target, [good]);
    const inSubgroup = views.i32.subarray(good / 4, good / 4 + count);
    for (const [i, point] of parsed.entries()) {
      if (point === undefined) return { bad: i, reason: 'encoding' };
      if (point.infinity) continue;
      if (onCurve[i] === 0) return { bad: i, reason: 'curve' };
      if (inSubgroup[i] === 0) return { bad: i, reason: 'subgroup' };
    }
    return undefined;
  });
}

function markInfinity(ctx: Context, point: number): void {
  const { f64 } = ctx.views;
  f64.fill(0, point / 8, (point + POINT_SIZE) / 8);
  f64[point / 8] = INFINITY_MARK;
}

function negateY(ctx: Context, point: number): void {
  const { f64 } = ctx.views;
  for (let i = (point + COORDINATE) / 8; i < (point + POINT_SIZE) / 8; i++) f64[i] = -f64[i];
}

/** Compressed bytes of affine points at an address, (0, 0) being infinity. */
export function compressAll(ctx: Context, points: number, count: number): Uint8Array[] {
  return ctx.temporary(AFFINE_BYTES * count, (words) => {
    ctx.exports.fqToWords(words, points, 0, 2 * count);
    const u64 = ctx.views.u64;
    const at = words / 8;
    return Array.from({ length: count }, (_, i) =>
      compressAffine(readWords(u64, at + 12 * i, 6), readWords(u64, at + 12 * i + 6, 6)),
    );
  });
}
