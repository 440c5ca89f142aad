/** `round`, exactly: the one place where a real number becomes an integer, for the four forms it takes. */
import type { Rational } from '../tensor/program.ts';
import { divide, floorDiv, integerSqrt, multiply, powerOfTwo, rational, roundTo } from './rational.ts';

export type RoundForm = 'P' | 'P/Q' | 'sqrt(P)' | 'P/sqrt(Q)';

/** floor(sqrt(4x)) for x >= 0. */
const floorRoot4 = (x: Rational): bigint => integerSqrt((4n * x.num) / x.den);

/** ceil(sqrt(4x)) for x > 0. */
const ceilRoot4 = (x: Rational): bigint => integerSqrt(-floorDiv(-4n * x.num, x.den) - 1n) + 1n;

/**
 * floor(value * 2^frac + 1/2) for value = p, p/q, sqrt(p) or p/sqrt(q).
 *
 * The square of the value decides: for a = sqrt(x), the nearest integer is floor((floor(sqrt(4x)) + 1) / 2).
 *
 * @throws RangeError where q <= 0, or p < 0 under a root.
 */
export function roundForm(form: RoundForm, p: Rational, q: Rational, frac: number): bigint {
  if ((form === 'P/Q' || form === 'P/sqrt(Q)') && q.num <= 0n) throw new RangeError('a divisor that is not positive');
  if (form === 'P') return roundTo(p, frac);
  if (form === 'P/Q') return roundTo(divide(p, q), frac);
  if (form === 'sqrt(P)') {
    if (p.num < 0n) throw new RangeError('the square root of a negative number');
    return (floorRoot4(multiply(p, powerOfTwo(2 * frac))) + 1n) >> 1n;
  }
  if (p.num === 0n) return 0n;
  const square = multiply(divide(rational(p.num * p.num, p.den * p.den), q), powerOfTwo(2 * frac));
  return p.num > 0n ? (floorRoot4(square) + 1n) >> 1n : -(ceilRoot4(square) >> 1n);
}
