/**
 * G1 in WGSL: complete projective addition on y^2 = x^3 + 4 (Renes, Costello, Batina, ePrint 2015/1060, algorithms 7 and 8
 * for a = 0). The curve has odd order, so the formulas have no exceptional case: infinity, equal and opposite points need
 * no branch, and a sum is right whatever points and scalars meet in it.
 *
 * Drivers inline every call, and a field product is thousands of instructions. So one loop makes all products of an
 * addition, two at a time, and their factors move through registers: with twelve copies instead, a kernel takes several
 * times as long to compile, and its code leaves the instruction cache.
 */
import { G1_B } from '../../../curve/params.ts';
import { indent, type Declaration } from '../source.ts';

/** Quads of an affine point (x, y; both zero for infinity) and of a projective one (x, y, z). */
export const AFFINE_QUADS = 6;
export const PROJECTIVE_QUADS = 9;

/** Lines that declare `name` = 3 b x. */
function tripleB(name: string, x: string): string[] {
  if (G1_B !== 4n) throw new Error('the formulas have 3 b = 12 built in');
  return [
    `let ${name}_2 = fq_add(${x}, ${x});`,
    `let ${name}_4 = fq_add(${name}_2, ${name}_2);`,
    `let ${name} = fq_add(${name}_4, fq_add(${name}_4, ${name}_4));`,
  ];
}

/**
 * An addition in two rounds of three steps; a step makes u = s0 s1 and v = t0 t1. In the first round `next` gives the next
 * step's factors, and the results end in u0, u1, u2 and v0, v1, v2. `between` makes of them
 *
 *   xx = 3 x1 x2, xy = x1 y2 + x2 y1, yz = y1 z2 + y2 z1, xz = 3 b (x1 z2 + x2 z1), plus and minus = y1 y2 +- 3 b z1 z2,
 *
 * from which both algorithms have the sum as (xy minus - yz xz, minus plus + xz xx, plus yz + xx xy): factors are
 * neighbours in two chains, which the second round shifts along.
 */
const addition = (
  name: string,
  params: string,
  parts: { readonly start: readonly string[]; readonly next: readonly string[]; readonly between: readonly string[] },
  second = '',
): Declaration => ({
  name,
  text: [
    `fn ${name}(${params}) -> G1 {`,
    indent(parts.start),
    '  var u0: Fq; var u1: Fq; var u2: Fq;',
    '  var v0: Fq; var v1: Fq; var v2: Fq;',
    '  for (var step = 0u; step < 6u; step += 1u) {',
    '    let u = fq_mul(s0, s1);',
    ...(second
      ? ['    var v = v2;', `    if ${second} {`, '      v = fq_mul(t0, t1);', '    }']
      : ['    let v = fq_mul(t0, t1);']),
    '    if step < 3u {',
    '      u0 = u1; u1 = u2; u2 = u;',
    '      v0 = v1; v1 = v2; v2 = v;',
    indent(parts.next, 3),
    '      if step == 2u {',
    indent(parts.between, 4),
    '        s0 = xy; s1 = minus; s2 = plus; s3 = yz;',
    '        t0 = fq_sub(fq_zero(), yz); t1 = xz; t2 = xx; t3 = xy;',
    '      }',
    '    } else {',
    '      u0 = u1; u1 = u2; u2 = fq_add(u, v);',
    '      s0 = s1; s1 = s2; s2 = s3;',
    '      t0 = t1; t1 = t2; t2 = t3;',
    '    }',
    '  }',
    '  return G1(u0, u1, u2);',
    '}',
  ].join('\n'),
});

/** Loads and stores: `quad` is the first of a point's. */
const access: readonly Declaration[] = [
  {
    name: 'fq_load',
    text: `fn fq_load(arena: u32, quad: u32) -> Fq {
  return Fq(load(arena, quad), load(arena, quad + 1u), load(arena, quad + 2u));
}`,
  },
  {
    name: 'fq_store',
    text: `fn fq_store(arena: u32, quad: u32, x: Fq) {
  store(arena, quad, x.v0);
  store(arena, quad + 1u, x.v1);
  store(arena, quad + 2u, x.v2);
}`,
  },
  {
    name: 'g1_load',
    text: `fn g1_load(arena: u32, quad: u32) -> G1 {
  return G1(fq_load(arena, quad), fq_load(arena, quad + 3u), fq_load(arena, quad + 6u));
}`,
  },
  {
    name: 'g1_store',
    text: `fn g1_store(arena: u32, quad: u32, a: G1) {
  fq_store(arena, quad, a.x);
  fq_store(arena, quad + 3u, a.y);
  fq_store(arena, quad + 6u, a.z);
}`,
  },
];

export const curveDeclarations: readonly Declaration[] = [
  { name: 'G1', text: 'struct G1 {\n  x: Fq,\n  y: Fq,\n  z: Fq,\n}' },
  { name: 'G1Affine', text: 'struct G1Affine {\n  x: Fq,\n  y: Fq,\n}' },
  { name: 'g1_infinity', text: 'fn g1_infinity() -> G1 {\n  return G1(fq_zero(), fq_one(), fq_zero());\n}' },
  // x1 x2, y1 y2, z1 z2, and (x1 + y1) (x2 + y2) and so on, the coordinates going round.
  addition('g1_add', 'a: G1, b: G1', {
    start: [
      'var s0 = a.x; var s1 = b.x; var s2 = a.y; var s3 = a.z;',
      'var t0 = fq_add(a.x, a.y); var t1 = fq_add(b.x, b.y); var t2 = b.y; var t3 = b.z;',
    ],
    next: [
      'let a0 = s0; s0 = s2; s2 = s3; s3 = a0;',
      'let b0 = s1; s1 = t2; t2 = t3; t3 = b0;',
      't0 = fq_add(s0, s2); t1 = fq_add(s1, t2);',
    ],
    between: [
      ...tripleB('bzz', 'u2'),
      ...tripleB('xz', 'fq_sub(v2, fq_add(u2, u0))'),
      'let xx = fq_add(u0, fq_add(u0, u0));',
      'let xy = fq_sub(v0, fq_add(u0, u1));',
      'let yz = fq_sub(v1, fq_add(u1, u2));',
      'let plus = fq_add(u1, bzz); let minus = fq_sub(u1, bzz);',
    ],
  }),
  // The same for z2 = 1: x1 x2, y1 y2, (x1 + y1) (x2 + y2), and y2 z1, x2 z1. Not for b = infinity.
  addition(
    'g1_add_affine',
    'a: G1, b: G1Affine',
    {
      start: [
        'var s0 = a.x; var s1 = b.x; var s2 = a.y; var s3 = fq_add(a.x, a.y);',
        'var t0 = a.z; var t1 = b.y; var t2 = b.y; var t3 = fq_add(b.x, b.y);',
      ],
      next: ['s0 = s2; s2 = s3;', 's1 = t2; t2 = t3;', 't1 = b.x;'],
      between: [
        ...tripleB('bz', 'a.z'),
        ...tripleB('xz', 'fq_add(v1, a.x)'),
        'let xx = fq_add(u0, fq_add(u0, u0));',
        'let xy = fq_sub(u2, fq_add(u0, u1));',
        'let yz = fq_add(v0, a.y);',
        'let plus = fq_add(u1, bz); let minus = fq_sub(u1, bz);',
      ],
    },
    'step != 2u',
  ),
  ...access,
];
