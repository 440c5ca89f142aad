/** The bounds on integers hold for the field that proofs are in. */
import { expect, test } from 'vitest';
import {
  FIELD_BITS,
  INTEGER_BITS,
  LIMB_BITS,
  LOOKED_UP_BITS,
  RANGE_TABLE_BITS,
  SUM_BITS,
} from '../../../compiler/ir/numbers/limits.ts';
import { FR_MODULUS } from '../../../runtime/field/params.ts';

const power = (bits: number): bigint => 2n ** BigInt(bits);

test('log2 of the order is rounded down', () => {
  // r lies between 2^fieldBits and 2^(fieldBits + 1/1000): of its leading 53 bits.
  const leading = Math.log2(Number(FR_MODULUS >> 202n)) + 202;
  expect(leading).toBeGreaterThanOrEqual(FIELD_BITS);
  expect(leading).toBeLessThan(FIELD_BITS + 0.001);
});

test('integers that are compared differ by less than the order', () => {
  const mostOffset = power(31);
  const [sum, lookedUp, output] = [power(SUM_BITS), power(LOOKED_UP_BITS), power(INTEGER_BITS)];
  // What is looked up, with its offset, and an entry times a power of two; an output and what it should be.
  const least = power(Math.floor(FIELD_BITS));
  expect(least < FR_MODULUS).toBe(true);
  expect(sum + mostOffset + lookedUp < least).toBe(true);
  expect(sum + output < least).toBe(true);
});

test('the tables of all narrow ranges together are no larger than a wide one', () => {
  const narrow = Array.from({ length: LIMB_BITS }, (_, k) => 2 ** (k + 1)).reduce((a, b) => a + b);
  expect(narrow).toBeLessThan(2 ** (LIMB_BITS + 1));
  expect(LIMB_BITS + 1).toBeLessThan(RANGE_TABLE_BITS);
});
