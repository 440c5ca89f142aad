/**
 * Small integers times field elements: a fifth of a field product. Tables of 16-bit integers stay what they are until a
 * first variable is bound (Bagad, Dao, Domb, Thaler, ePrint 2025/1117, for the idea).
 */
import { limbOf, packWord, word, type WgslField } from './field.ts';
import { toLimbs } from './limbs.ts';
import { indent, u32, type Declaration } from '../source.ts';

/** Largest absolute value of a factor: limb products stay below 2^31, and so do their differences. */
export const SMALL_BOUND = 2 ** 18;
const WIDTH = 13;
const COUNT = 20;

/**
 * `fr_times(x, v)`: x * v for |v| <= SMALL_BOUND. With m = |v| the quotient q of m * x by p is estimated from the 32
 * highest bits of x; it is exact or one too small, so that m * x - q * p, taken limb by limb, is in [0, 2 p).
 */
export function smallDeclarations(field: WgslField): Declaration[] {
  const p = field.plan.modulus;
  const limbs = toLimbs(p, WIDTH, COUNT).map(Number);
  // x / p * 2^32 is x / 2^223 * 2^255 / p: the estimate's error is below 4, that of the quotient below 2^-12.
  const scale = (1n << 286n) / p;
  const terms = Array.from({ length: COUNT }, (_, j) => [
    `let d${j} = bitcast<i32>((${limbOf('x', 8, WIDTH, j)}) * m) - bitcast<i32>(q * ${u32(limbs[j])})${j === 0 ? '' : ` + (d${j - 1} >> ${WIDTH}u)`};`,
    `let t${j} = bitcast<u32>(d${j}) & ${u32(2 ** WIDTH - 1)};`,
  ]).flat();
  const pack = Array.from({ length: 8 }, (_, i) => packWord(i, WIDTH, COUNT));
  const body = [
    'let m = u32(abs(v));',
    // Bits 223 to 254.
    `let top = (${word('x', 6)} >> 31u) | (${word('x', 7)} << 1u);`,
    `let g = mac(top, ${u32(scale)}, 0u, 0u);`,
    'let fraction = (g.y << 1u) | (g.x >> 31u);',
    'let q = mac(fraction, m, 0u, 0u).y;',
    ...terms,
    `let r = fr_fit(Fr(vec4<u32>(${pack.slice(0, 4).join(', ')}), vec4<u32>(${pack.slice(4).join(', ')})));`,
    'if v < 0 {',
    '  return fr_sub(fr_zero(), r);',
    '}',
    'return r;',
  ];
  return [
    { name: 'fr_times', text: `fn fr_times(x: Fr, v: i32) -> Fr {\n${indent(body)}\n}` },
    { name: 'fr_from_small', text: 'fn fr_from_small(v: i32) -> Fr {\n  return fr_times(fr_one(), v);\n}' },
    {
      // Entry i of a vector of 16-bit integers; beyond the end: zero.
      name: 'small_at',
      text: 'fn small_at(d: u32, i: u32) -> i32 {\n  if i >= p[d].y {\n    return 0;\n  }\n  return bitcast<i32>(int2_at(d, i).x);\n}',
    },
    ...([4, 8] as const).map((bytes) => ({
      name: `fr_int${bytes}_at`,
      text: `fn fr_int${bytes}_at(d: u32, i: u32) -> Fr {\n  if i >= p[d].y {\n    return fr_zero();\n  }\n  return fr_from_int(int${bytes}_at(d, i));\n}`,
    })),
  ];
}
