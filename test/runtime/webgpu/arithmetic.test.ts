/** Field and curve operations on the device, one by one, against bigints. */
import { describe, expect, test } from 'vitest';
import { Point } from '../../../runtime/curve/spec.ts';
import { FQ_MODULUS, FR_MODULUS } from '../../../runtime/field/params.ts';
import { inverse, modulo } from '../../../runtime/field/spec.ts';
import { curveDeclarations, PROJECTIVE_QUADS } from '../../../runtime/kernels/wgsl/curve.ts';
import { forEach, type KernelText } from '../../../runtime/kernels/wgsl/elementwise.ts';
import type { FieldVariant } from '../../../runtime/kernels/wgsl/field.ts';
import { LIMB_WIDTHS } from '../../../runtime/kernels/wgsl/limbs.ts';
import { u32 } from '../../../runtime/kernels/wgsl/source.ts';
import { Random } from '../device/devices.ts';
import { createRig, getWords, putWords } from './rig.ts';

const variants: FieldVariant[] = [
  ...LIMB_WIDTHS.map((width): FieldVariant => ({ width, rows: 'rolled' })),
  { width: 13, rows: 'unrolled' },
  { width: 15, rows: 'unrolled' },
];

const OPERATIONS = ['mul', 'add', 'sub', 'enter', 'leave', 'fit'] as const;

/** From x and y, one after the other: what each operation makes of them, in eight places. */
function operations(name: 'fr' | 'fq', quads: number): KernelText {
  const type = name === 'fr' ? 'Fr' : 'Fq';
  const range = Array.from({ length: quads }, (_, k) => k);
  const read = (k: number): string =>
    `${type}(${range.map((q) => `load(p[0].y, first + ${u32(quads * k + q)})`).join(', ')})`;
  const write = (k: number, value: string): string[] => [
    `let r${k} = ${value};`,
    ...range.map((q) => `store(p[0].y, first + ${u32(quads * k + q)}, r${k}.v${q});`),
  ];
  return {
    name: `${name} operations`,
    source: () => ({
      library: [],
      entry: forEach([
        `let first = p[0].z + ${u32(8 * quads)} * i;`,
        `let x = ${read(0)};`,
        `let y = ${read(1)};`,
        ...write(2, `${name}_mul(x, y)`),
        ...write(3, `${name}_add(x, y)`),
        ...write(4, `${name}_sub(x, y)`),
        ...write(5, `${name}_enter(x)`),
        ...write(6, `${name}_leave(x)`),
        ...write(7, `${name}_fit(x)`),
      ]),
    }),
  };
}

describe.each([
  ['fr', FR_MODULUS],
  ['fq', FQ_MODULUS],
] as const)('%s', (name, p) => {
  test.for(variants)('$width-bit limbs, $rows', async (variant, context) => {
    const rig = await createRig(context, { [name]: variant });
    const { plan, words } = rig.gpu[name];
    const random = new Random(variant.width);
    const edges = [
      0n,
      1n,
      2n,
      p - 1n,
      p - 2n,
      (p - 1n) / 2n,
      plan.R % p,
      (1n << 32n) - 1n,
      (1n << 128n) - 1n,
      1n << 252n,
    ];
    const draw = (): bigint =>
      modulo(
        [1, 2, 3, 4, 5, 6, 7].reduce((v) => (v << 64n) | random.word(), 0n),
        p,
      );
    const pairs = [...edges.flatMap((x) => edges.map((y) => [x, y] as const))];
    while (pairs.length < 192) pairs.push([draw(), draw()]);
    const data = new Uint32Array(8 * words * pairs.length);
    for (const [i, [x, y]] of pairs.entries()) {
      putWords(data, 8 * words * i, x, words);
      putWords(data, 8 * words * i + words, y, words);
    }
    const out = await rig.run(operations(name, words / 4), data, pairs.length);
    const unR = inverse(plan.R, p);
    for (const [i, [x, y]] of pairs.entries()) {
      const expected = [x * y * unR, x + y, x - y, x * plan.R, x * unR, x].map((v) => modulo(v, p));
      const values = OPERATIONS.map((_, k) => getWords(out, 8 * words * i + words * (k + 2), words));
      expect(values, `${x}, ${y}`).toEqual(expected);
    }
    await rig.close();
  });
});

/** From a and b, projective and one after the other: their sum, added as many times as p[0].w says; b affine where it has z = 1. */
const additions: KernelText = {
  name: 'additions',
  source: () => ({
    library: curveDeclarations,
    entry: forEach([
      `let first = p[0].z + ${u32(2 * PROJECTIVE_QUADS)} * i;`,
      'var a = g1_load(p[0].y, first);',
      `let b = g1_load(p[0].y, first + ${u32(PROJECTIVE_QUADS)});`,
      'if p[0].w == 1u {',
      '  a = g1_add_affine(a, G1Affine(b.x, b.y));',
      '} else {',
      '  a = g1_add(a, b);',
      '}',
      'g1_store(p[0].y, first, a);',
    ]),
  }),
};

describe('additions of points are complete', () => {
  test.for<FieldVariant>([
    { width: 13, rows: 'rolled' },
    { width: 32, rows: 'rolled' },
  ])('$width-bit limbs', async (variant, context) => {
    const rig = await createRig(context, { fq: variant });
    const { R } = rig.gpu.fq.plan;
    const random = new Random(5);
    const logs = [0n, 1n, -1n, 2n, -2n, 3n, 77n, FR_MODULUS - 5n];
    const pairs = logs.flatMap((a) => logs.map((b) => [a, b] as const));
    const multiple = (k: bigint): Point => (k === 0n ? Point.ZERO : Point.BASE.multiplyUnsafe(modulo(k, FR_MODULUS)));
    for (const affine of [false, true]) {
      const data = new Uint32Array(72 * pairs.length);
      const put = (at: number, k: bigint, scale: bigint): void => {
        const { x, y } = multiple(k).toAffine();
        const z = k === 0n ? [0n, 1n, 0n] : [x, y, 1n];
        for (const [c, v] of z.entries()) putWords(data, at + 12 * c, (v * scale * R) % FQ_MODULUS, 12);
      };
      for (const [i, [a, b]] of pairs.entries()) {
        // Any representative of a projective point.
        put(72 * i, a, 1n + random.word());
        put(72 * i + 36, b, affine ? 1n : 1n + random.word());
      }
      const out = await rig.run(additions, data, pairs.length, affine ? 1 : 0);
      for (const [i, [a, b]] of pairs.entries()) {
        if (affine && b === 0n) continue;
        const [x, y, z] = [0, 1, 2].map((c) => getWords(out, 72 * i + 12 * c, 12));
        const sum = multiple(a + b);
        expect([x, y, z].every((v) => v < FQ_MODULUS)).toBe(true);
        if (sum.is0()) expect([x, y === 0n, z]).toEqual([0n, false, 0n]);
        else {
          expect(z).not.toBe(0n);
          const affineSum = sum.toAffine();
          expect([(affineSum.x * z) % FQ_MODULUS, (affineSum.y * z) % FQ_MODULUS]).toEqual([x, y]);
        }
      }
    }
    await rig.close();
  });
});
