/** The emitted text, as snapshots: a refactor leaves it unchanged. */
import { describe, expect, test } from 'vitest';
import { add, constant, mul, table } from '../../../runtime/kernels/expression.ts';
import { shaderText } from '../../../runtime/device/webgpu/pipelines.ts';
import { FQ_MODULUS, FR_MODULUS } from '../../../runtime/field/params.ts';
import { contractInt } from '../../../runtime/kernels/wgsl/vectors/contract.ts';
import {
  fold,
  forEach,
  gatherInt,
  lift,
  map,
  type KernelText,
} from '../../../runtime/kernels/wgsl/vectors/elementwise.ts';
import { mac, wgslField, type FieldVariant } from '../../../runtime/kernels/wgsl/field/field.ts';
import { sumSlices, weighBuckets } from '../../../runtime/kernels/wgsl/curve/buckets.ts';
import { digits, starts } from '../../../runtime/kernels/wgsl/curve/digits.ts';
import { histogram } from '../../../runtime/kernels/wgsl/vectors/integers.ts';
import { round } from '../../../runtime/kernels/wgsl/vectors/rounds.ts';
import { assemble, u32 } from '../../../runtime/kernels/wgsl/source.ts';

const fields = (variant: FieldVariant) => ({
  fr: wgslField('fr', FR_MODULUS, variant),
  fq: wgslField('fq', FQ_MODULUS, variant),
});
const usual = fields({ width: 13, rows: 'rolled' });
const fraction = add(mul(table(0), table(3)), mul(table(2), add(table(1), mul(constant(0), table(3)))));

const snapshot = (name: string): string => `../../golden/wgsl/${name}.wgsl`;

test.each<[string, KernelText]>([
  ['round', round(usual.fr, fraction, [2, 'fr', 'fr', 'fr'], [0, 'inf'], true)],
  ['map', map(fraction, ['fr', 'fr', 'fr', 'fr'])],
  ['fold', fold('fr')],
  ['lift', lift(2)],
  ['gather', gatherInt(2)],
  ['contract', contractInt(usual.fr, 2, 0, false)],
  ['histogram', histogram(2)],
  ['digits', digits],
  ['starts', starts],
  ['sum-slices', sumSlices],
  ['weigh-buckets', weighBuckets],
])('%s', async (name, kernel) => {
  await expect(shaderText(usual, kernel, 1)).toMatchFileSnapshot(snapshot(name));
});

test('several arenas', async () => {
  await expect(shaderText(usual, fold('fr'), 4)).toMatchFileSnapshot(snapshot('fold-4-arenas'));
});

test.each<FieldVariant>([
  { width: 13, rows: 'unrolled' },
  { width: 15, rows: 'unrolled' },
  { width: 15, rows: 'rolled' },
  { width: 32, rows: 'unrolled' },
  { width: 32, rows: 'rolled' },
])('a product of $width-bit limbs, $rows', async (variant) => {
  const { fr } = fields(variant);
  const text = assemble([mac, ...fr.declarations], forEach(['let z = fr_mul(x, y);']));
  await expect(text).toMatchFileSnapshot(snapshot(`product-${variant.width}-${variant.rows}`));
});

describe('text', () => {
  test('has what the entry point reaches, and nothing else', () => {
    const text = shaderText(usual, lift(4), 1);
    expect(text).toContain('fn int4_at(');
    expect(text).not.toContain('fn int2_at(');
    expect(text).not.toContain('struct Fq');
    expect(text).not.toContain('atomic_words');
  });

  test('a name that is declared twice is refused', () => {
    const twice = [mac, mac];
    expect(() => assemble(twice, 'mac')).toThrow(/mac is declared twice/);
  });

  test.each([-1, 2 ** 32])('%i is no word', (n) => {
    expect(() => u32(n)).toThrow(RangeError);
  });
});
