/**
 * Contractions of one dimension: sums of entries times weights. Integers times field elements are added up in limbs,
 * with a carry every few terms and one reduction at the end, instead of one field product for each entry.
 */
import { FR_MODULUS } from '../../../field/params.ts';
import type { IntBytes, KernelText } from './elementwise.ts';
import { forEach } from './elementwise.ts';
import { limbOf, packWord, wordsOf, type WgslField } from '../field/field.ts';
import { u32 } from '../source.ts';

/** Limbs of a weight, and of a sum: 20 x 13 = 260 bits, and 312 for up to 2^40 terms of 16 bits. */
const WIDTH = 13;
const WEIGHT_LIMBS = 20;
const SUM_LIMBS = 24;
/** Quads of a weight in limbs. */
export const LIMB_QUADS = WEIGHT_LIMBS / 4;

/** Terms between two carries: a limb in range and the carry into it, and that many products of 16 by 13 bits, fit 32 bits. */
export const CARRY_PERIOD = carryPeriod();

function carryPeriod(): number {
  const product = (2 ** 16 - 1) * (2 ** WIDTH - 1);
  const left = 2 ** WIDTH - 1 + 2 ** (32 - WIDTH);
  return Math.floor((2 ** 32 - 1 - left) / product);
}

/** p[0].x weights of vector 1 in limbs, LIMB_QUADS quads each, from quad p[2].y of arena p[2].x. */
export const splitWeights: KernelText = {
  name: 'weights in limbs',
  source: () => ({
    library: [],
    entry: forEach([
      'let w = fr_at(1u, i);',
      ...Array.from({ length: LIMB_QUADS }, (_, q) => {
        const limbs = Array.from({ length: 4 }, (_, k) => limbOf('w', 8, WIDTH, 4 * q + k));
        return `store(p[2].x, p[2].y + ${u32(LIMB_QUADS)} * i + ${u32(q)}, vec4<u32>(${limbs.join(', ')}));`;
      }),
    ]),
  }),
};

/**
 * How outputs and shares of the sum are numbered: an invocation has output i / shares and share i % shares (`rows`, where
 * the dimension is the last and neighbours read neighbours), or output i % outputs and share i / outputs (`columns`).
 * p[0].x = outputs * shares, p[0].y = outputs, p[0].z = shares; p[3] = reduce, inner.
 */
const numbering = (rows: boolean): string[] => [
  `let out = ${rows ? 'i / p[0].z' : 'i % p[0].y'};`,
  `let share = ${rows ? 'i % p[0].z' : 'i / p[0].y'};`,
  'let first = (out / p[3].y) * p[3].x * p[3].y + out % p[3].y;',
];

/** Vector 1 [share * outputs + out] = the share's sum of field elements of vector 2 times weights (vector 4). */
export const contractFr = (rows: boolean): KernelText => ({
  name: `contract ${rows ? 'rows' : 'columns'}`,
  source: () => ({
    library: [],
    entry: forEach([
      ...numbering(rows),
      'var s = fr_zero();',
      'for (var d = share; d < p[3].x; d += p[0].z) {',
      '  s = fr_add(s, fr_mul(fr_at(2u, first + d * p[3].y), fr_at(4u, d)));',
      '}',
      'fr_put(1u, share * p[0].y + out, s);',
    ]),
  }),
});

/**
 * The same for integers with weights in limbs (p[4].x, p[4].y: arena and quad), every integer v standing for the 16-bit
 * digit number `part` of v + 2^(bits - 1): what that adds is taken away at the end (`combine`).
 */
export function contractInt(field: WgslField, bytes: IntBytes, part: number, rows: boolean): KernelText {
  const limbs = Array.from({ length: SUM_LIMBS }, (_, j) => j);
  const carry = limbs.slice(0, -1).map((j) => `a${j + 1} += a${j} >> ${WIDTH}u; a${j} &= ${u32(2 ** WIDTH - 1)};`);
  const top = bytes === 2 ? 'value.x' : part < 2 ? 'value.x' : 'value.y';
  const digit = `(${top} >> ${u32(16 * (part % 2))}) & 0xffffu`;
  // The sign bit of the highest digit is flipped by adding half of the range.
  const biased = part === bytes / 2 - 1 ? `(${digit}) ^ 0x8000u` : digit;
  return {
    name: `contract int${8 * bytes} digit ${part} ${rows ? 'rows' : 'columns'}`,
    source: () => ({
      library: [],
      entry: forEach([
        ...numbering(rows),
        ...limbs.map((j) => `var a${j} = 0u;`),
        'var terms = 0u;',
        'for (var d = share; d < p[3].x; d += p[0].z) {',
        `  let value = int${bytes}_at(2u, first + d * p[3].y);`,
        `  let v = ${biased};`,
        `  let quad = p[4].y + ${u32(LIMB_QUADS)} * d;`,
        ...Array.from({ length: LIMB_QUADS }, (_, q) => [
          `  let w${q} = load(p[4].x, quad + ${u32(q)});`,
          ...[0, 1, 2, 3].map((k) => `  a${4 * q + k} += v * w${q}.${'xyzw'[k]};`),
        ]).flat(),
        '  terms += 1u;',
        `  if terms == ${u32(CARRY_PERIOD)} {`,
        '    terms = 0u;',
        ...carry.map((line) => `    ${line}`),
        '  }',
        '}',
        ...carry,
        ...reduceSum(field),
        'fr_put(1u, share * p[0].y + out, s);',
      ]),
    }),
  };
}

/** s = the limbs' value modulo p: 256 bits reduced by subtraction, the bits above by a product with 2^256. */
function reduceSum(field: WgslField): string[] {
  const words = Array.from({ length: 10 }, (_, i) => packWord(i, WIDTH, SUM_LIMBS, 'a'));
  const above = wordsOf(((1n << 256n) * field.plan.R) % FR_MODULUS, 8).map(u32);
  return [
    `let low = fr_fit(fr_fit(Fr(vec4<u32>(${words.slice(0, 4).join(', ')}), vec4<u32>(${words.slice(4, 8).join(', ')}))));`,
    `let high = Fr(vec4<u32>(${words[8]}, ${words[9]}, 0u, 0u), vec4<u32>());`,
    `let s = fr_add(low, fr_mul(high, Fr(vec4<u32>(${above.slice(0, 4).join(', ')}), vec4<u32>(${above.slice(4).join(', ')}))));`,
  ];
}

/**
 * Vector 1 [out] = the sum over digits and shares of vector 2 [(digit * shares + share) * outputs + out] * 2^(16 digit),
 * less vector 3 [0] times the Fr at p[4]. p[0].x = outputs, p[0].y = shares, p[0].z = digits; 2^16 at p[6].
 */
export const combine: KernelText = {
  name: 'combine shares',
  source: () => ({
    library: [],
    entry: forEach([
      'var s = fr_zero();',
      'for (var digit = p[0].z; digit > 0u; digit -= 1u) {',
      '  if digit < p[0].z {',
      '    s = fr_mul(s, fr_arg(6u));',
      '  }',
      '  for (var share = 0u; share < p[0].y; share += 1u) {',
      '    s = fr_add(s, fr_at(2u, ((digit - 1u) * p[0].y + share) * p[0].x + i));',
      '  }',
      '}',
      'fr_put(1u, i, fr_sub(s, fr_mul(fr_at(3u, 0u), fr_arg(4u))));',
    ]),
  }),
};
