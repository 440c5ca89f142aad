/** A round's polynomial follows from as many of its values as its degree, and from what it adds up to. */
import { describe, expect, test } from 'vitest';
import * as Fr from '../../../runtime/protocol/scalar.ts';
import { RoundPolynomial, type RoundSum } from '../../../runtime/prover/sumcheck/round-polynomial.ts';

const at = (coefficients: readonly bigint[], x: bigint | 'inf'): bigint =>
  x === 'inf'
    ? coefficients[coefficients.length - 1]
    : coefficients.reduceRight((sum, c) => Fr.add(c, Fr.mul(x, sum)), 0n);

const field = (p: number | 'inf'): bigint | 'inf' => (p === 'inf' ? p : Fr.reduce(BigInt(p)));

/** Of degree 1 to 6. */
const polynomials = Array.from({ length: 6 }, (_, d) =>
  Array.from({ length: d + 2 }, (_, i) => Fr.reduce(BigInt(37 * d + 11 * i - 40) ** 17n)),
);

const sums: Record<string, (p: readonly bigint[]) => RoundSum | undefined> = {
  'whose sum is not known': () => undefined,
  'that is not weighted': (p) => ({ claim: Fr.add(at(p, 0n), at(p, 1n)) }),
  'that is weighted': (p) => {
    const tau = 987_654_321_987_654_321n;
    const claim = Fr.add(Fr.mul(Fr.sub(1n, tau), at(p, 0n)), Fr.mul(tau, at(p, 1n)));
    return { claim, weight: { tau, inverse: Fr.inv(tau) } };
  },
};

describe.each(Object.entries(sums))('of a round %s', (_, sumOf) => {
  test.each(polynomials.map((p) => [p.length - 1, p] as const))('of degree %i', (degree, p) => {
    const sum = sumOf(p);
    const points = RoundPolynomial.points(degree, sum);
    expect(points).toHaveLength(sum ? degree : degree + 1);
    const polynomial = RoundPolynomial.of(
      points.map((x) => at(p, field(x))),
      sum,
    );
    for (const x of ['inf', 0n, 1n, 2n, Fr.reduce(-1n), Fr.reduce(-2n), 3n, 12345678901234567890n] as const)
      expect(polynomial.at(x)).toBe(at(p, x));
  });
});

test('of a sum that is another one', () => {
  const p = [3n, 5n, 7n];
  const sum = { claim: Fr.add(1n, Fr.add(at(p, 0n), at(p, 1n))) };
  const polynomial = RoundPolynomial.of([at(p, 0n), at(p, 'inf')], sum);
  expect(polynomial.at(2n)).not.toBe(at(p, 2n));
});
