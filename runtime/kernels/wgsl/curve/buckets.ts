/**
 * Sums of the points of buckets, and of sets of buckets: Pippenger's method on sorted references (`digits.ts`).
 *
 * Invocations take equal slices of the sorted references whatever the buckets' sizes are, so that one bucket with
 * everything in it takes as long as a thousand equal ones. What a slice has of a bucket is the bucket's sum where all of
 * it lies inside; else it is a partial sum, and `addPartials` adds those up. A slice has two of them at most: of a bucket
 * that began before it (slot 2 t of slice t), and of one that begins in it and goes on after it (slot 2 t + 1).
 */
import { AFFINE_QUADS, curveDeclarations, PROJECTIVE_QUADS } from './curve.ts';
import { POINT_BITS, POINT_BLOCKS } from './digits.ts';
import { forEach, type KernelText } from '../vectors/elementwise.ts';
import { u32, type Declaration } from '../source.ts';

/** Partial sums that one invocation of `addPartials` adds up. */
export const RADIX = 4;

/** Blocks of points in the arguments of `sumSlices`: arena and quad, a quad each. */
export const BLOCK_BASE = 5;

const library: readonly Declaration[] = [
  ...curveDeclarations,
  {
    // p[1] = arena and quad of the starts of buckets; of the references.
    name: 'start_of',
    text: 'fn start_of(bucket: u32) -> u32 {\n  return load_word(p[1].x, 4u * p[1].y + bucket);\n}',
  },
  {
    // The bucket, `first` or a later one, that has the reference `at`. Buckets before `limit` have all there are.
    name: 'bucket_of',
    text: `fn bucket_of(at: u32, first: u32, limit: u32) -> u32 {
  var low = first;
  var step = 1u;
  while step < limit - low && start_of(low + step) <= at {
    low += step;
    step <<= 1u;
  }
  var high = low + min(step, limit - low);
  while high - low > 1u {
    let middle = (low + high) >> 1u;
    if start_of(middle) <= at {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}`,
  },
  {
    // The point of a reference, its sign applied.
    name: 'point_of',
    text: `fn point_of(reference: u32) -> G1Affine {
  let base = p[${u32(BLOCK_BASE)} + ((reference >> ${POINT_BITS}u) & ${u32(POINT_BLOCKS - 1)})];
  let quad = base.y + ${u32(AFFINE_QUADS)} * (reference & ${u32(2 ** POINT_BITS - 1)});
  let y = fq_load(base.x, quad + 3u);
  if (reference >> 31u) == 1u {
    return G1Affine(fq_load(base.x, quad), fq_sub(fq_zero(), y));
  }
  return G1Affine(fq_load(base.x, quad), y);
}`,
  },
];

/**
 * Sums of the slices first .. first + n - 1 of 2^l references each: p[0] = (n, first, l, number of buckets); p[1] see
 * `start_of`; p[2] = arena and quad of sums of buckets, and of partial sums; p[3] = arena and quad of a quad for each
 * slice, which gets the bucket of its first reference and where that begins and ends.
 */
export const sumSlices: KernelText = {
  name: 'sum slices of buckets',
  source: () => ({
    library,
    entry: forEach([
      'let slice = p[0].y + i;',
      'let buckets = p[0].w;',
      'let start = slice << p[0].z;',
      'let total = start_of(buckets);',
      'if start >= total {',
      // A slice without references: no slot of it counts as in use.
      '  store(p[3].x, p[3].y + slice, vec4<u32>(0u, start, start, 0u));',
      '  return;',
      '}',
      'let to = min(start + (1u << p[0].z), total);',
      'var bucket = bucket_of(start, 0u, buckets);',
      'var begin = start_of(bucket);',
      'var end = start_of(bucket + 1u);',
      'store(p[3].x, p[3].y + slice, vec4<u32>(bucket, begin, end, 0u));',
      'var sum = g1_infinity();',
      'for (var at = start; at < to; at += 1u) {',
      '  let point = point_of(load_word(p[1].z, 4u * p[1].w + at));',
      '  if !(fq_is_zero(point.x) && fq_is_zero(point.y)) {',
      '    sum = g1_add_affine(sum, point);',
      '  }',
      '  let next = at + 1u;',
      '  if next == end || next == to {',
      `    var result = vec2<u32>(p[2].z, p[2].w + ${u32(2 * PROJECTIVE_QUADS)} * slice);`,
      '    if begin >= start {',
      '      if end <= to {',
      `        result = vec2<u32>(p[2].x, p[2].y + ${u32(PROJECTIVE_QUADS)} * bucket);`,
      '      } else {',
      `        result.y += ${u32(PROJECTIVE_QUADS)};`,
      '      }',
      '    }',
      '    g1_store(result.x, result.y, sum);',
      '    if next < to {',
      '      bucket = bucket_of(next, bucket + 1u, buckets);',
      '      begin = next;',
      '      end = start_of(bucket + 1u);',
      '      sum = g1_infinity();',
      '    }',
      '  }',
      '}',
    ]),
  }),
};

/**
 * One pass over lists of points in place: number k of a list, k a multiple of 4 s, takes up numbers k + s, k + 2 s and
 * k + 3 s; after passes for s = 1, 4, 16, .. number 0 is the sum. p[0] = (invocations, s, l, list length or 0); p[2].zw =
 * arena and quad of the points; p[3] see `sumSlices`. The lists are
 *
 * - where the list length is 0, partial sums of buckets: invocation i is for slot i, p[4].x is the number of slices;
 * - else of that length, one after the other; p[4].x is the number of invocations for each.
 */
export const addPartials: KernelText = {
  name: 'add partial sums',
  source: () => ({
    library: [
      ...library,
      { name: 'Place', text: 'struct Place {\n  number: u32,\n  length: u32,\n  first: u32,\n}' },
      {
        // Which number of which list an invocation is for; length 0 where it is for none.
        name: 'place_of',
        text: `fn place_of(i: u32) -> Place {
  if p[0].w != 0u {
    let list = i / p[4].x;
    return Place((i - list * p[4].x) * ${u32(RADIX)} * p[0].y, p[0].w, list * p[0].w);
  }
  let slice = i >> 1u;
  let later = i & 1u;
  if slice + later >= p[4].x {
    return Place(0u, 0u, 0u);
  }
  // Slot 2 t is in use if the first bucket of slice t began before it, slot 2 t + 1 if that of slice t + 1 began in t.
  let bucket = load(p[3].x, p[3].y + slice + later);
  let origin = bucket.y >> p[0].z;
  if (origin == slice) != (later == 1u) {
    return Place(0u, 0u, 0u);
  }
  return Place(slice - origin, ((bucket.z - 1u) >> p[0].z) - origin + 1u, origin);
}`,
      },
      {
        name: 'quad_of',
        text: `fn quad_of(place: Place, number: u32) -> u32 {
  var slot = place.first + number;
  if p[0].w == 0u {
    slot = select(2u * slot, 2u * slot + 1u, number == 0u);
  }
  return p[2].w + ${u32(PROJECTIVE_QUADS)} * slot;
}`,
      },
    ],
    entry: forEach([
      'let place = place_of(i);',
      'let s = p[0].y;',
      `if place.number % (${u32(RADIX)} * s) != 0u || place.number + s >= place.length {`,
      '  return;',
      '}',
      'let target_quad = quad_of(place, place.number);',
      'var sum = g1_load(p[2].z, target_quad);',
      `for (var k = 1u; k < ${u32(RADIX)}; k += 1u) {`,
      '  let number = place.number + k * s;',
      '  if number < place.length {',
      '    sum = g1_add(sum, g1_load(p[2].z, quad_of(place, number)));',
      '  }',
      '}',
      'g1_store(p[2].z, target_quad, sum);',
    ]),
  }),
};

/**
 * Chunks of 2^k buckets of sets of 2^m: the sum of (j + 1) * (bucket j of the set) over the chunk's j. p[0] = (chunks, k, m,
 * l); p[1] and p[2] as for `sumSlices`; p[3] = arena and quad of the results.
 *
 * Running sums from the last bucket on give x, the plain sum, and y, the sum with weights from 1 on; the rest is
 * (first j) * x, by doubling and adding, while y waits in memory.
 */
export const weighBuckets: KernelText = {
  name: 'weigh buckets',
  source: () => ({
    library: [
      ...library,
      {
        name: 'sum_of',
        text: `fn sum_of(bucket: u32) -> G1 {
  let begin = start_of(bucket);
  let end = start_of(bucket + 1u);
  if begin == end {
    return g1_infinity();
  }
  let slice = begin >> p[0].w;
  if slice == (end - 1u) >> p[0].w {
    return g1_load(p[2].x, p[2].y + ${u32(PROJECTIVE_QUADS)} * bucket);
  }
  return g1_load(p[2].z, p[2].w + ${u32(PROJECTIVE_QUADS)} * (2u * slice + 1u));
}`,
      },
    ],
    entry: forEach([
      'let first = i << p[0].y;',
      'let chunk = 1u << p[0].y;',
      `let result = p[3].y + ${u32(PROJECTIVE_QUADS)} * i;`,
      'if start_of(first) == start_of(first + chunk) {',
      '  g1_store(p[3].x, result, g1_infinity());',
      '  return;',
      '}',
      'let offset = first & ((1u << p[0].z) - 1u);',
      'let running = 2u * chunk;',
      'let last = running + 2u * p[0].z;',
      'var x = g1_infinity();',
      'var y = g1_infinity();',
      'for (var step = 0u; step <= last; step += 1u) {',
      '  let even = (step & 1u) == 0u;',
      '  if step == running {',
      '    g1_store(p[3].x, result, y);',
      '    y = g1_infinity();',
      '  }',
      '  var a = y;',
      '  var b = x;',
      '  if step < running {',
      '    if even {',
      '      a = x;',
      '      b = sum_of(first + chunk - 1u - (step >> 1u));',
      '    }',
      '  } else if step == last {',
      '    b = g1_load(p[3].x, result);',
      '  } else if even {',
      '    b = y;',
      '  } else if ((offset >> (p[0].z - 1u - ((step - running) >> 1u))) & 1u) == 0u {',
      '    continue;',
      '  }',
      '  let sum = g1_add(a, b);',
      '  if even && step < running {',
      '    x = sum;',
      '  } else {',
      '    y = sum;',
      '  }',
      '}',
      'g1_store(p[3].x, result, y);',
    ]),
  }),
};

/**
 * Rows from their windows: sum over w of 2^(c w) * (set w). p[0] = (rows, windows, c, points from a set to the next);
 * p[1] = arena and quad of the first set of the first row; of the results, a point for each row.
 */
export const joinWindows: KernelText = {
  name: 'join windows',
  source: () => ({
    library: curveDeclarations,
    entry: forEach([
      `let stride = ${u32(PROJECTIVE_QUADS)} * p[0].w;`,
      'let first = p[1].y + i * p[0].y * stride;',
      'var w = p[0].y - 1u;',
      // Small scalars leave the upper windows empty: nothing to double there.
      'while w > 0u && fq_is_zero(fq_load(p[1].x, first + w * stride + 6u)) {',
      '  w -= 1u;',
      '}',
      'var sum = g1_load(p[1].x, first + w * stride);',
      'for (; w > 0u; w -= 1u) {',
      '  for (var k = 0u; k <= p[0].z; k += 1u) {',
      '    var other = sum;',
      '    if k == p[0].z {',
      '      other = g1_load(p[1].x, first + (w - 1u) * stride);',
      '    }',
      '    sum = g1_add(sum, other);',
      '  }',
      '}',
      `g1_store(p[1].z, p[1].w + ${u32(PROJECTIVE_QUADS)} * i, sum);`,
    ]),
  }),
};

/** Coordinates of affine points, three quads each, enter Montgomery form in place: p[0].x of them, from quad p[1].y of arena p[1].x on. */
export const enterCoordinates: KernelText = {
  name: 'enter coordinates',
  source: () => ({
    library: curveDeclarations,
    entry: forEach(['let quad = p[1].y + 3u * i;', 'fq_store(p[1].x, quad, fq_enter(fq_load(p[1].x, quad)));']),
  }),
};
