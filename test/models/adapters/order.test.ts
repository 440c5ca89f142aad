/** Modules are in the order of English collation, which is asked itself only about names that need it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { naturally } from '../../../models/adapters/order.ts';

const collator = new Intl.Collator('en', { numeric: true });
const collated = (a: string, b: string): number => Math.sign(collator.compare(a, b) || (a < b ? -1 : 1));

const names = (...units: string[]) => fc.string({ unit: fc.constantFrom(...units), maxLength: 8 });

test.each([
  ['plain names', names('a', 'b', 'z', '_', '.', '0', '1', '9')],
  ['others', names('a', 'A', 'é', '-', '_', '.', '1', '٣', ' ')],
])('of %s', (_, name) => {
  fc.assert(
    fc.property(name, name, (a, b) => {
      fc.pre(a !== b);
      expect(Math.sign(naturally(a, b))).toBe(collated(a, b));
    }),
    { numRuns: 3000 },
  );
});

test('numbers by their size, however long', () => {
  const [short, long] = ['layers.2.q', 'layers.10.q'];
  expect([long, short].sort(naturally)).toEqual([short, long]);
  for (const digits of [200, 201, 300]) {
    const [a, b] = [`w${'1'.repeat(digits)}`, `w${'1'.repeat(digits - 1)}2`];
    expect(Math.sign(naturally(a, b))).toBe(collated(a, b));
  }
});
