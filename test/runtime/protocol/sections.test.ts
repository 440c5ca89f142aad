/** Where looked-up values stand among the leaves: every entry of a tensor in exactly one section, in a place its extension has. */
import { expect, test } from 'vitest';
import fc from 'fast-check';
import { axisPieces, tensorSections } from '../../../runtime/protocol/lookup/tensor-lookups.ts';
import { bitsFor } from '../../../runtime/protocol/scalar.ts';
import { createSubject } from '../../kit/subject.ts';

test('the pieces of an axis are aligned, inside its padded length, and cover every index once', () => {
  const check = (length: number): void => {
    const seen = new Uint8Array(length);
    for (const { first, bits, inside } of axisPieces(length)) {
      expect(first % 2 ** bits).toBe(0);
      expect(inside).toBeGreaterThan(0);
      expect(inside).toBeLessThanOrEqual(2 ** bits);
      expect(first + 2 ** bits).toBeLessThanOrEqual(2 ** bitsFor(length));
      for (let i = 0; i < inside; i++) seen[first + i]++;
    }
    expect(seen.every((n) => n === 1)).toBe(true);
  };
  for (let length = 1; length <= 300; length++) check(length);
  fc.assert(fc.property(fc.integer({ min: 301, max: 100_000 }), check), { seed: 1, numRuns: 60 });
});

test('sections are aligned to their size, do not overlap, and there is one leaf for every entry', async () => {
  const arbitrary = fc.tuple(fc.constantFrom(1, 2, 3, 5, 7, 11, 21), fc.constantFrom(1, 3, 5, 13, 85));
  await fc.assert(
    fc.asyncProperty(arbitrary, async ([n, m]) => {
      const { gadgets } = await createSubject(`table f(t: fixed<3, 0> in [-2, 2]) -> fixed<6, 0> = t * t
        model m { dim N = ${n}, M = ${m}
        secret w[N, M]: fixed<3, 0>
        secret v: fixed<3, 0>
        a = f(w)
        b = f(v)
        public y[i] = sum(j) a[i, j] + b }`);
      const { sections, depth } = tensorSections(gadgets);
      const taken = new Uint8Array(2 ** depth);
      const entries = gadgets.lookups.map(() => 0);
      for (const s of sections) {
        expect(s.offset % 2 ** s.bits).toBe(0);
        expect(s.bits).toBe(s.box.reduce((k, side) => k + side.bits, 0));
        for (let i = 0; i < 2 ** s.bits; i++) taken[s.offset + i]++;
        if (s.kind === 'column') entries[s.index] += s.box.reduce((k, side) => k * side.inside, 1);
      }
      expect(taken.every((k) => k <= 1)).toBe(true);
      expect(
        sections
          .filter((s) => s.kind === 'table')
          .map((s) => s.index)
          .sort(),
      ).toEqual(gadgets.tables.map((_, i) => i));
      expect(entries).toEqual(gadgets.lookups.map((l) => gadgets.tensors[l.tensor].shape.reduce((k, d) => k * d, 1)));
    }),
    { seed: 1, numRuns: 20 },
  );
});
