/** The bounds on integers hold for the field that proofs are in. */
import { expect, test } from 'vitest';
import {
  fieldBits,
  integerBits,
  limbBits,
  lookedUpBits,
  rangeTableBits,
  sumBits,
} from '../../../compiler/ir/numbers/limits.ts';
import { FR_MODULUS } from '../../../runtime/field/params.ts';

const power = (bits: number): bigint => 2n ** BigInt(bits);

test('log2 of the order is rounded down', () => {
  // r lies between 2^fieldBits and 2^(fieldBits + 1/1000): of its leading 53 bits.
  const leading = Math.log2(Number(FR_MODULUS >> 202n)) + 202;
  expect(leading).toBeGreaterThanOrEqual(fieldBits);
  expect(leading).toBeLessThan(fieldBits + 0.001);
});

test('integers that are compared differ by less than the order', () => {
  const mostOffset = power(31);
  const [sum, lookedUp, output] = [power(sumBits), power(lookedUpBits), power(integerBits)];
  // What is looked up, with its offset, and an entry times a power of two; an output and what it should be.
  const least = power(Math.floor(fieldBits));
  expect(least < FR_MODULUS).toBe(true);
  expect(sum + mostOffset + lookedUp < least).toBe(true);
  expect(sum + output < least).toBe(true);
});

test('the tables of all narrow ranges together are no larger than a wide one', () => {
  const narrow = Array.from({ length: limbBits }, (_, k) => 2 ** (k + 1)).reduce((a, b) => a + b);
  expect(narrow).toBeLessThan(2 ** (limbBits + 1));
  expect(limbBits + 1).toBeLessThan(rangeTableBits);
});
