/** Limbs of WGSL's fields: bounds that hold, and bounds that are refused. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FQ_MODULUS, FR_MODULUS } from '../../../runtime/field/params.ts';
import { CARRY_PERIOD } from '../../../runtime/kernels/wgsl/vectors/contract.ts';
import { LIMB_WIDTHS, planLimbs, toLimbs, worstAccumulator } from '../../../runtime/kernels/wgsl/field/limbs.ts';

const fields = [
  ['fr', FR_MODULUS],
  ['fq', FQ_MODULUS],
] as const;

/** The rows of a product with limbs as bigints; returns the largest accumulator and the product before its reduction. */
function product(p: bigint, width: number, period: number, x: bigint, y: bigint): { largest: bigint; value: bigint } {
  const { count, mu, limbs } = planLimbs(p, width as 13);
  const mask = (1n << BigInt(width)) - 1n;
  const [a, b] = [toLimbs(x, width, count), toLimbs(y, width, count)];
  const t = limbs.map(() => 0n);
  let largest = 0n;
  const see = (v: bigint): bigint => (v > largest ? (largest = v) : v);
  for (let i = 0; i < count; i++) {
    const q = ((t[0] + a[i] * b[0]) * mu) & mask;
    for (let j = 0; j < count; j++) t[j] = see(t[j] + a[i] * b[j] + q * limbs[j]);
    const carry = t[0] >> BigInt(width);
    t.copyWithin(0, 1);
    t[count - 1] = 0n;
    t[0] = see(t[0] + carry);
    if ((i + 1) % period === 0 || i === count - 1)
      for (let j = 0; j < count - 1; j++) {
        t[j + 1] = see(t[j + 1] + (t[j] >> BigInt(width)));
        t[j] &= mask;
      }
  }
  return { largest, value: t.reduce((s, v, j) => s + (v << BigInt(width * j)), 0n) };
}

describe.each(fields)('%s', (_, p) => {
  test.each(LIMB_WIDTHS.filter((w) => w !== 32))(
    '%i bits: no accumulator reaches 2^32, whatever the factors',
    (width) => {
      const { R, period, worst } = planLimbs(p, width);
      expect(worst).toBeLessThan(1n << 32n);
      expect(2n * p).toBeLessThan(R);
      const element = fc.oneof(
        fc.constantFrom(0n, 1n, p - 1n, p - 2n, (p - 1n) / 2n, (1n << BigInt(p.toString(2).length - 1)) - 1n),
        fc.bigInt({ min: 0n, max: p - 1n }),
      );
      fc.assert(
        fc.property(element, element, (x, y) => {
          const { largest, value } = product(p, width, period, x, y);
          expect(largest).toBeLessThanOrEqual(worst);
          expect(value).toBeLessThan(2n * p);
          expect((value * R) % p).toBe((x * y) % p);
        }),
      );
    },
  );

  test('one row more between carries could overflow: the plan takes as many as there can be', () => {
    for (const width of [14, 15] as const) {
      const plan = planLimbs(p, width);
      expect(plan.period).toBeLessThan(plan.count);
      expect(worstAccumulator(plan, plan.period + 1)).toBeGreaterThanOrEqual(1n << 32n);
    }
  });

  test('16 bits fit with no period: generation fails', () => {
    expect(() => planLimbs(p, 16 as 15)).toThrow(/16-bit limbs of a \d+-bit field do not fit 32 bits/);
  });
});

test('sums of 16-bit integers times limbs carry in time', () => {
  const product = (2 ** 16 - 1) * (2 ** 13 - 1);
  const carried = 2 ** 13 - 1 + Math.floor((2 ** 32 - 1) / 2 ** 13);
  expect(carried + CARRY_PERIOD * product).toBeLessThan(2 ** 32);
  expect(carried + (CARRY_PERIOD + 1) * product).toBeGreaterThanOrEqual(2 ** 32);
});
