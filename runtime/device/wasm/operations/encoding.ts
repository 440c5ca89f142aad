/**
 * Points from and to bytes that need no check: affine ones of a list that is trusted, and compressed ones to be written.
 */
import { AFFINE_BYTES, POINT_BYTES } from '../../../curve/params.ts';
import { compressAffine } from '../../../curve/spec.ts';
import { readWords, type Context } from '../context.ts';

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
