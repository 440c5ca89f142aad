/** Kernels on integers alone: exact matrix products modulo 2^64, histograms. */
import { forEach, type IntBytes, type KernelText } from './elementwise.ts';
import type { Declaration } from '../source.ts';

const multiply64: Declaration = {
  // The low 64 bits of a product.
  name: 'multiply64',
  text: `fn multiply64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = mac(a.x, b.x, 0u, 0u);
  return vec2<u32>(low.x, low.y + a.x * b.y + a.y * b.x);
}`,
};

/**
 * Entry i = (b, o, c) of products of batches of matrices in vectors 2 and 3, 8 bytes each in vector 1. p[4] = outer, reduce, inner;
 * p[5] and p[6] = offset, and strides of batch, row and column.
 */
export const multiplyIntegers = (left: IntBytes, right: IntBytes): KernelText => ({
  name: `multiply int${8 * left} int${8 * right}`,
  byWords: true,
  source: () => ({
    library: [multiply64],
    entry: forEach([
      'let row = i / p[4].z;',
      'let batch = row / p[4].x;',
      'let left = p[5].x + batch * p[5].y + (row % p[4].x) * p[5].z;',
      'let right = p[6].x + batch * p[6].y + (i % p[4].z) * p[6].w;',
      'var s = vec2<u32>();',
      'for (var d = 0u; d < p[4].y; d += 1u) {',
      `  let a = int${left}_at(2u, left + d * p[5].w);`,
      `  let b = int${right}_at(3u, right + d * p[6].z);`,
      ...(left === 2 && right === 2
        ? [
            // Products of 16-bit integers fit 32 bits.
            '  let product = bitcast<i32>(a.x) * bitcast<i32>(b.x);',
            '  let t = vec2<u32>(bitcast<u32>(product), bitcast<u32>(product >> 31u));',
          ]
        : ['  let t = multiply64(a, b);']),
      '  let low = s.x + t.x;',
      '  s = vec2<u32>(low, s.y + t.y + u32(low < t.x));',
      '}',
      'let at = place(1u, i);',
      'let w = 4u * at.y + 2u * at.z;',
      'store_word(at.x, w, s.x);',
      'store_word(at.x, w + 1u, s.y);',
    ]),
  }),
});

/**
 * Counts entries of vector 1 by value - first (first in p[2].xy, two's complement); those outside [0, p[2].z) leave the
 * least of their positions, plus one and negated, as the maximum in the word after the counters.
 */
export const histogram = (bytes: IntBytes): KernelText => ({
  name: `histogram int${8 * bytes}`,
  source: () => ({
    library: [],
    entry: forEach([
      `let v = int${bytes}_at(1u, i);`,
      'let low = v.x - p[2].x;',
      'let high = v.y - p[2].y - u32(v.x < p[2].x);',
      'if high == 0u && low < p[2].z {',
      '  atomicAdd(&atomic_words[low], 1u);',
      '} else {',
      '  atomicMax(&atomic_words[p[2].z], 0xffffffffu - i);',
      '}',
    ]),
  }),
});
