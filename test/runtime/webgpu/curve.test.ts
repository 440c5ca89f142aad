/** Additions of points on the device, against bigints. */
import { describe, expect, test } from 'vitest';
import { Point } from '../../../runtime/curve/spec.ts';
import { FQ_MODULUS, FR_MODULUS } from '../../../runtime/field/params.ts';
import { modulo } from '../../../runtime/field/spec.ts';
import { curveDeclarations, PROJECTIVE_QUADS } from '../../../runtime/kernels/wgsl/curve/curve.ts';
import { forEach, type KernelText } from '../../../runtime/kernels/wgsl/vectors/elementwise.ts';
import type { FieldVariant } from '../../../runtime/kernels/wgsl/field/field.ts';
import { u32 } from '../../../runtime/kernels/wgsl/source.ts';
import { Random } from '../device/devices.ts';
import { createRig, getWords, putWords } from './rig.ts';

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
