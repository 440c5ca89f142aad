/** The order of a run's rows: a permutation an epoch, the same everywhere, and nobody's choice. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSampler, epochOrder } from '../../../runtime/run/sampling.ts';

const seed = (k: number): Uint8Array => new Uint8Array(32).fill(k);

test('each epoch is a permutation, and epochs differ', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 255 }), (rows, k) => {
      const [first, second] = [0, 1].map((epoch) => epochOrder({ seed: seed(k), rows }, epoch));
      const sorted = (order: Uint32Array): number[] => [...order].sort((a, b) => a - b);
      expect(sorted(first)).toEqual(Array.from({ length: rows }, (_, i) => i));
      expect(sorted(second)).toEqual(sorted(first));
      if (rows > 20) expect(second).not.toEqual(first);
    }),
    { numRuns: 50 },
  );
});

test('steps take the epochs end to end', () => {
  const rows = createSampler({ seed: seed(3), rows: 5, batch: 3 });
  const taken = Array.from({ length: 5 }, (_, step) => rows.rows(step)).flat();
  const epochs = [0, 1, 2].flatMap((epoch) => [...epochOrder({ seed: seed(3), rows: 5 }, epoch)]);
  expect(taken).toEqual(epochs);
  // Out of order, too.
  expect(rows.rows(0)).toEqual(epochs.slice(0, 3));
});

test('every order of three is as likely as another', () => {
  const counts = new Map<string, number>();
  for (let epoch = 0; epoch < 6000; epoch++) {
    const key = epochOrder({ seed: seed(9), rows: 3 }, epoch).join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  // Five standard deviations of a binomial count.
  for (const n of counts.values()) expect(Math.abs(n - 1000)).toBeLessThan(5 * Math.sqrt(6000 * (1 / 6) * (5 / 6)));
});

test('the order is what it was: whoever verifies a run in years works it out alike', () => {
  expect([...epochOrder({ seed: seed(1), rows: 10 }, 0)]).toMatchInlineSnapshot(`
    [
      5,
      1,
      3,
      8,
      6,
      4,
      7,
      0,
      2,
      9,
    ]
  `);
  expect([...epochOrder({ seed: seed(1), rows: 10 }, 7)]).toMatchInlineSnapshot(`
    [
      2,
      8,
      4,
      6,
      1,
      3,
      9,
      5,
      7,
      0,
    ]
  `);
});

test.each([
  [{ seed: new Uint8Array(31), rows: 4, batch: 2 }, 'sampling.seed'],
  [{ seed: seed(1), rows: 0, batch: 2 }, 'sampling.rows'],
  [{ seed: seed(1), rows: 4, batch: 0 }, 'sampling.batch'],
])('refuses %j', (sampling, name) => {
  expect(() => createSampler(sampling)).toThrow(name);
});
