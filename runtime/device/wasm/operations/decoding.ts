/** Compressed points from bytes, with every check. `decompress` of `curve/spec.ts` says the same on bigints. */
import { AFFINE_BYTES, FLAG_COMPRESSED, FLAG_INFINITY, FLAG_LARGER_Y, POINT_BYTES } from '../../../curve/params.ts';
import type { PointFault } from '../../../curve/spec.ts';
import { FQ_MODULUS } from '../../../field/params.ts';
import { INFINITY_MARK } from '../../../kernels/wasm/curve/curve.ts';
import { POINT_SIZE } from '../../../kernels/wasm/emit/layout.ts';
import type { Context } from '../context.ts';
import { firstOutside } from './subgroup.ts';

const COORDINATE = POINT_SIZE / 2;
/** Of a coordinate in the clear, 32 bits each, the lowest first. */
const WORDS = POINT_BYTES / 4;
/** Nanoseconds for a square root. */
const ROOT = 20_000;

const wordsOf = (value: bigint): Uint32Array =>
  Uint32Array.from({ length: WORDS }, (_, k) => Number((value >> BigInt(32 * k)) & 0xffffffffn));
const LARGEST = wordsOf(FQ_MODULUS - 1n);
const HALF = wordsOf(FQ_MODULUS / 2n);

/** Reads compressed points to an address: the first that is none, and why, if there is one. */
export function decodeAll(
  ctx: Context,
  bytes: Uint8Array,
  count: number,
  target: number,
): { readonly bad: number; readonly reason: PointFault } | undefined {
  const { views, exports } = ctx;
  return ctx.temporary(AFFINE_BYTES * count + 4 * count, (words) => {
    const good = words + AFFINE_BYTES * count;
    const coordinates = (i: number): number => words / 4 + 2 * WORDS * i;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const kinds = Array.from({ length: count }, (_, i) => parse(view, POINT_BYTES * i, views.i32, coordinates(i)));
    exports.fqFromWords(target, words, 0, 2 * count);
    ctx.launch('roots', count, ROOT, target, [good]);
    const onCurve = views.i32.slice(good / 4, good / 4 + count);
    exports.fqToWords(words, target, 0, 2 * count);
    for (const [i, kind] of kinds.entries()) {
      const point = target + POINT_SIZE * i;
      if (kind === 'infinity') markInfinity(ctx, point);
      else if (exceeds(views.i32, coordinates(i) + WORDS, HALF) !== (kind === 'larger')) negateY(ctx, point);
    }
    const fault = kinds.findIndex((kind, i) => kind === undefined || (kind !== 'infinity' && onCurve[i] === 0));
    const outside = firstOutside(ctx, target, fault < 0 ? count : fault);
    if (outside !== undefined) return { bad: outside, reason: 'subgroup' };
    return fault < 0 ? undefined : { bad: fault, reason: kinds[fault] === undefined ? 'encoding' : 'curve' };
  });
}

/** Writes x, and 0 for y. Says which root y is, or that the point is infinity; undefined where the encoding is not canonical. */
function parse(
  view: DataView,
  from: number,
  words: Int32Array,
  at: number,
): 'smaller' | 'larger' | 'infinity' | undefined {
  const flags = view.getUint8(from);
  for (let k = 0; k < WORDS; k++) words[at + k] = view.getUint32(from + POINT_BYTES - 4 * (k + 1));
  words[at + WORDS - 1] &= 0x1fffffff;
  words.fill(0, at + WORDS, at + 2 * WORDS);
  if ((flags & FLAG_COMPRESSED) === 0 || exceeds(words, at, LARGEST)) {
    words.fill(0, at, at + WORDS);
    return undefined;
  }
  const isLarger = (flags & FLAG_LARGER_Y) !== 0;
  if ((flags & FLAG_INFINITY) === 0) return isLarger ? 'larger' : 'smaller';
  return isLarger || words.subarray(at, at + WORDS).some((word) => word !== 0) ? undefined : 'infinity';
}

/** Whether the words at a position are a larger number. */
function exceeds(words: Int32Array, at: number, limit: Uint32Array): boolean {
  for (let k = WORDS - 1; k >= 0; k--) {
    const word = words[at + k] >>> 0;
    if (word !== limit[k]) return word > limit[k];
  }
  return false;
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
