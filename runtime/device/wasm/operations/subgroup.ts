/**
 * Whether points of the curve are in G1, its subgroup of order r: many at once.
 *
 * The curve's group is G1 times a group of order h = 3 (11 * 10177 * 859267 * 52437899)^2. Weights modulo r in one sum would not do: a point of order 3 is
 * lost in it with probability 1/3. So there are rounds of several sums. In each round every point P_i gets an integer d_i of its own, uniform in
 * [-2^(w-1), 2^(w-1)), and the sums S_j = sum_i sign(d_i) bit_j(|d_i|) P_i, j < w, are checked one by one.
 *
 * Let P_i be outside G1, t its class modulo G1, and all but d_i be given. That all S_j are in G1 says sign(d_i) bit_j(|d_i|) t = c_j, where the classes c_j do
 * not depend on d_i. As h is odd, 0, t and -t are different: the c_j tell every bit of |d_i|, and its sign if a bit is set. So at most one d_i fits, a round
 * passes with probability at most 2^-w, and all rounds with at most 2^-128, whatever the orders of the points and however they cancel each other.
 */
import { INFINITY_MARK } from '../../../kernels/wasm/curve/curve.ts';
import { POINT_SIZE } from '../../../kernels/wasm/emit/layout.ts';
import type { Context } from '../context.ts';
import { ADDITION, sumBits, type References, type Row } from './rows.ts';

/** Of the probability that points pass some of which are outside, the binary logarithm. */
const ERROR_BITS = 128;
/** Nanoseconds for the check of one point. */
const CHECK = 45_000;
/** Of the integers that are drawn. */
const DRAWN_BYTES = 2;
/** Fewer points are checked one by one, which takes no longer. */
const LEAST = 256;
/** The platform gives at most this many random bytes at once. */
const RANDOM_AT_ONCE = 65_536;

/** The first of `count` affine points of the curve that is outside G1, if there is one. Infinity is inside. */
export function firstOutside(ctx: Context, points: number, count: number): number | undefined {
  if (count < LEAST) return firstOf(ctx, points, 0, count);
  if (allInside(ctx, points, count)) return undefined;
  // Halves without one are passed over: much less than one check for each point.
  let [from, to] = [0, count];
  while (to - from >= LEAST) {
    const middle = (from + to) >> 1;
    if (allInside(ctx, points + POINT_SIZE * from, middle - from)) from = middle;
    else to = middle;
  }
  return firstOf(ctx, points, from, to) ?? firstOf(ctx, points, 0, count);
}

/** Exact: one by one. */
function firstOf(ctx: Context, points: number, from: number, to: number): number | undefined {
  const found = checkEach(ctx, points + POINT_SIZE * from, to - from).indexOf(0);
  return found < 0 ? undefined : from + found;
}

/** For each point whether it is inside: 0 if not. */
const checkEach = (ctx: Context, points: number, count: number): Int32Array =>
  ctx.temporary(4 * count, (good) => {
    ctx.launch('inSubgroup', count, CHECK, points, [good]);
    return ctx.views.i32.slice(good / 4, good / 4 + count);
  });

/** Whether all points are inside; yes, though one is not, with probability at most 2^-ERROR_BITS. */
function allInside(ctx: Context, points: number, count: number): boolean {
  const width = cheapestWidth(count);
  const rounds = roundsOf(width);
  return ctx.temporary(DRAWN_BYTES * count * rounds, (drawn) => {
    drawRandom(ctx, drawn, DRAWN_BYTES * count * rounds);
    const rows = Array.from({ length: rounds }, (_, round): Row => {
      const source = drawn + DRAWN_BYTES * count * round;
      const run = { bytes: DRAWN_BYTES, source, count, windows: 1, points, levelStride: 0, step: 1, set: 0 };
      return { sets: 1, runs: [run] };
    });
    return sumBits(ctx, width, rows, (lists) => lists.map((list) => areInside(ctx, list))).every((inside) => inside);
  });
}

/** Signs change nothing. */
function areInside(ctx: Context, { list, count }: References): boolean {
  return ctx.temporary(POINT_SIZE * count, (sums) => {
    const { i32, u8, f64 } = ctx.views;
    for (let i = 0; i < count; i++) {
      const from = (i32[list / 4 + i] & -2) >>> 0;
      const to = sums + POINT_SIZE * i;
      if (from === 0) f64[to / 8] = INFINITY_MARK;
      else u8.copyWithin(to, from, from + POINT_SIZE);
    }
    return !checkEach(ctx, sums, count).includes(0);
  });
}

function drawRandom(ctx: Context, address: number, bytes: number): void {
  const block = new Uint8Array(Math.min(bytes, RANDOM_AT_ONCE));
  for (let at = 0; at < bytes; at += block.length) {
    const part = block.subarray(0, Math.min(block.length, bytes - at));
    ctx.views.u8.set(crypto.getRandomValues(part), address + at);
  }
}

const roundsOf = (width: number): number => Math.ceil(ERROR_BITS / width);

/** Digits so wide that additions into buckets and out of them, and checks of what comes out, take least. */
function cheapestWidth(count: number): number {
  const cost = (width: number): number =>
    roundsOf(width) * (ADDITION * (count + 2.3 * 2 ** (width - 1)) + CHECK * width);
  return Array.from({ length: 13 }, (_, i) => i + 3).reduce((best, width) => (cost(width) < cost(best) ? width : best));
}
