/**
 * Scalars to buckets: signed digits of all scalars, counted and sorted by bucket (counting sort).
 *
 * A scalar becomes a sign and a magnitude, an Fr element k the smaller of k and r - k, so that small negative numbers stay
 * small. The magnitude is written in digits of c bits, d in (-2^(c-1), 2^(c-1)]: 8 b bits for integers of b bytes and 255
 * for Fr are enough for the carry out of the last digit to be zero. A digit 0 costs nothing. A digit d of window w puts its
 * point, negated for d < 0, into bucket |d| - 1 of the window's set, 2^(c-1) buckets each.
 */
import { WORKGROUP } from '../access.ts';
import type { Declaration } from '../source.ts';
import { forEach, type KernelText } from '../vectors/elementwise.ts';
import { u32 } from '../source.ts';

/** Bits that digits have to cover: of an integer of `bytes` bytes, or of a field element. */
export const scalarBits = (bytes: 2 | 4 | 8 | 32): number => (bytes === 32 ? 255 : 8 * bytes);

/**
 * A reference to a point: a block of points (`POINT_BLOCKS` at most), the number of a point in it, and a sign.
 */
export const POINT_BITS = 26;
export const POINT_BLOCKS = 32;

/** Quads of a run in the arguments; see `digits`. */
export const RUN_QUADS = 3;
/** Where runs begin. */
export const RUN_BASE = 2;

const library: readonly Declaration[] = [
  {
    // A magnitude in eight words; the last component is 1 for a negative number.
    name: 'Scalar',
    text: 'struct Scalar {\n  v0: vec4<u32>,\n  v1: vec4<u32>,\n  sign: u32,\n}',
  },
  {
    name: 'int_scalar',
    text: `fn int_scalar(v: vec2<u32>) -> Scalar {
  let sign = v.y >> 31u;
  let flip = 0u - sign;
  let low = (v.x ^ flip) + sign;
  let high = (v.y ^ flip) + u32(sign == 1u && low == 0u);
  return Scalar(vec4<u32>(low, high, 0u, 0u), vec4<u32>(), sign);
}`,
  },
  {
    // r / 2 < 2^254 < r, so either k or r - k is below 2^254.
    name: 'fr_scalar',
    text: `fn fr_scalar(x: Fr) -> Scalar {
  let k = fr_leave(x);
  if (k.v1.w >> 30u) == 0u {
    return Scalar(k.v0, k.v1, 0u);
  }
  let n = fr_sub(fr_zero(), k);
  return Scalar(n.v0, n.v1, 1u);
}`,
  },
  {
    name: 'scalar_at',
    text: `fn scalar_at(bytes: u32, d: u32, i: u32) -> Scalar {
  switch bytes {
    case 2u: { return int_scalar(int2_at(d, i)); }
    case 4u: { return int_scalar(int4_at(d, i)); }
    case 8u: { return int_scalar(int8_at(d, i)); }
    default: { return fr_scalar(fr_at(d, i)); }
  }
}`,
  },
];

/**
 * One invocation for each scalar of several runs; p[0] = (invocations, runs, digit width c, 1 to sort or 0 to count). A
 * run is a matrix of `columns` scalars a row, one row after the other in a vector, each row with window sets of its own:
 *
 *   (first invocation, position of the vector's descriptor, bytes of an entry, columns)
 *   (windows, first set, sets from one row to the next, from one window to the next)
 *   (reference to the first point, points from one column to the next, from one window to the next)
 *
 * Counts go to `atomic_words`, a word for each bucket. For sorting these hold where each bucket begins, and references go
 * to the words from quad p[1].y of arena p[1].x on.
 */
export const digits: KernelText = {
  name: 'digits',
  byWords: true,
  source: () => ({
    library,
    entry: forEach([
      'var run = 0u;',
      'var after = p[0].y;',
      'while after - run > 1u {',
      '  let middle = (run + after) >> 1u;',
      `  if p[${u32(RUN_BASE)} + ${u32(RUN_QUADS)} * middle].x <= i {`,
      '    run = middle;',
      '  } else {',
      '    after = middle;',
      '  }',
      '}',
      `let at = ${u32(RUN_BASE)} + ${u32(RUN_QUADS)} * run;`,
      'let source = p[at];',
      'let sets = p[at + 1u];',
      'let points = p[at + 2u];',
      'let entry = i - source.x;',
      'let row = entry / source.w;',
      'let column = entry % source.w;',
      'let width = p[0].z;',
      'let size = 1u << width;',
      'let half = size >> 1u;',
      'let scalar = scalar_at(source.z, source.y, entry);',
      'var low = scalar.v0;',
      'var high = scalar.v1;',
      'var point = points.x + column * points.y;',
      'var first_bucket = (sets.y + row * sets.z) * half;',
      'var carry = 0u;',
      'for (var w = 0u; w < sets.x; w += 1u) {',
      '  let digit = (low.x & (size - 1u)) + carry;',
      '  carry = u32(digit > half);',
      '  let magnitude = select(digit, size - digit, carry == 1u);',
      '  if magnitude != 0u {',
      '    let bucket = first_bucket + magnitude - 1u;',
      '    let place_in_order = atomicAdd(&atomic_words[bucket], 1u);',
      '    if p[0].w == 1u {',
      '      store_word(p[1].x, 4u * p[1].y + place_in_order, point | ((scalar.sign ^ carry) << 31u));',
      '    }',
      '  }',
      '  low = (low >> vec4<u32>(width)) | (vec4<u32>(low.yzw, high.x) << vec4<u32>(32u - width));',
      '  high = (high >> vec4<u32>(width)) | (vec4<u32>(high.yzw, 0u) << vec4<u32>(32u - width));',
      '  point += points.z;',
      '  first_bucket += sets.w * half;',
      '}',
    ]),
  }),
};

/** Counters 0 .. p[0].x - 1 become zero. */
export const clearCounters: KernelText = {
  name: 'clear counters',
  source: () => ({ library: [], entry: forEach(['atomicStore(&atomic_words[i], 0u);']) }),
};

/** Counters that one step of `starts` takes: both arrays have a multiple of them. */
export const STARTS_STEP = 16 * WORKGROUP;

/**
 * Replaces counts by where each bucket begins: sums of the counts before. One workgroup takes `STARTS_STEP` counters after
 * the other, p[0].x in all, and writes them to the words from quad p[1].y of arena p[1].x on, too.
 */
export const starts: KernelText = {
  name: 'starts of buckets',
  source: () => ({
    library: [{ name: 'totals', text: `var<workgroup> totals: array<u32, ${WORKGROUP}>;` }],
    entry: `@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(local_invocation_index) local: u32) {
  var before = 0u;
  for (var step = 0u; step < p[0].x; step += ${u32(STARTS_STEP)}) {
    let first = step + 16u * local;
    var mine = 0u;
    for (var k = 0u; k < 16u; k += 1u) {
      mine += atomicLoad(&atomic_words[first + k]);
    }
    totals[local] = mine;
    workgroupBarrier();
    for (var distance = 1u; distance < ${u32(WORKGROUP)}; distance <<= 1u) {
      var other = 0u;
      if local >= distance {
        other = totals[local - distance];
      }
      workgroupBarrier();
      totals[local] += other;
      workgroupBarrier();
    }
    var at = before + totals[local] - mine;
    before += totals[${u32(WORKGROUP - 1)}];
    for (var k = 0u; k < 4u; k += 1u) {
      let word = first + 4u * k;
      let a = at;
      let b = a + atomicLoad(&atomic_words[word]);
      let c = b + atomicLoad(&atomic_words[word + 1u]);
      let d = c + atomicLoad(&atomic_words[word + 2u]);
      at = d + atomicLoad(&atomic_words[word + 3u]);
      atomicStore(&atomic_words[word], a);
      atomicStore(&atomic_words[word + 1u], b);
      atomicStore(&atomic_words[word + 2u], c);
      atomicStore(&atomic_words[word + 3u], d);
      store(p[1].x, p[1].y + (word >> 2u), vec4<u32>(a, b, c, d));
    }
    workgroupBarrier();
  }
}`,
  }),
};
