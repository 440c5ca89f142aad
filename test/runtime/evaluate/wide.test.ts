/** Integers beyond doubles in sums and limbs: of any size, against bigints. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { GadgetStep } from '../../../compiler/ir/gadget/program.ts';
import { partsOf, type Factor } from '../../../runtime/evaluate/sums/factors.ts';
import { runStep } from '../../../runtime/evaluate/witness/steps.ts';
import { allocateComputed, toComputed, type ComputedIntegers } from '../../../runtime/integers/arrays.ts';
import { gadgetProgram } from '../../kit/build.ts';

const spread = (bits: number): fc.Arbitrary<bigint> => {
  const most = 2n ** BigInt(bits) - 1n;
  return fc.oneof(fc.bigInt({ min: -most, max: most }), fc.constantFrom(most, -most, 0n, -1n, 1n));
};

const factorOf = (values: bigint[], bits: number): Factor => {
  const most = 2n ** BigInt(bits) - 1n;
  return { values: toComputed(values, { lo: -most, hi: most }), base: 0, steps: [1], bound: most };
};

test('a product is the sum of its parts, each of which doubles compute exactly', () => {
  const product = fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 40 })).chain(([wide, other]) =>
    fc.record({
      wide: fc.constant(wide),
      other: fc.constant(other),
      count: fc.integer({ min: 1, max: 1024 }),
      entries: fc.array(fc.tuple(spread(wide), spread(other)), { minLength: 1, maxLength: 5 }),
    }),
  );
  let split = 0;
  fc.assert(
    fc.property(product, ({ wide, other, count, entries }) => {
      const factors = [
        factorOf(
          entries.map(([a]) => a),
          wide,
        ),
        factorOf(
          entries.map(([, b]) => b),
          other,
        ),
      ];
      const parts = partsOf(factors, count);
      if (parts === undefined) return;
      if (wide > 64) split++;
      for (const [i, [a, b]] of entries.entries()) {
        let sum = 0n;
        for (const { factors: own, scale, bound } of parts) {
          const each = own.reduce((p, f) => p * BigInt(f.values[i]), 1n);
          expect((each < 0n ? -each : each) * BigInt(count)).toBeLessThanOrEqual(bound);
          expect(bound).toBeLessThan(2n ** 53n);
          sum += scale * each;
        }
        expect(sum).toBe(a * b);
      }
    }),
    { numRuns: 300 },
  );
  expect(split).toBeGreaterThan(20);
});

test('limbs of 64-bit integers', () => {
  const limb = fc.record({
    values: fc.array(spread(62), { minLength: 1, maxLength: 6 }),
    from: spread(62),
    sign: fc.constantFrom(1 as const, -1 as const),
    shift: fc.integer({ min: 0, max: 50 }),
    bits: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(limb, ({ values, from, sign, shift, bits }) => {
      const span = { source: '', start: 0, end: 0 };
      const range = (lo: bigint, hi: bigint) => ({ range: { lo, hi }, scale: { num: 1n, den: 1n }, span });
      const shape = [values.length];
      const program = gadgetProgram({
        tensors: [
          { name: 'x', shape, class: { kind: 'input' }, ...range(-(2n ** 62n), 2n ** 62n) },
          { name: 'limb', shape, class: { kind: 'input' }, ...range(0n, 2n ** BigInt(bits) - 1n) },
        ],
      });
      const step: GadgetStep = { kind: 'limb', target: 1, of: 0, from, sign, shift, bits };
      const given: ComputedIntegers = BigInt64Array.from(values);
      const out = runStep(program, step, () => given);
      expect(out.constructor).toBe(allocateComputed(program.tensors[1].range, 0).constructor);
      const expected = values.map((x) => {
        const v = BigInt(sign) * (x - from);
        return v > 0n ? (v >> BigInt(shift)) & (2n ** BigInt(bits) - 1n) : 0n;
      });
      expect(Array.from(out, BigInt)).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});
