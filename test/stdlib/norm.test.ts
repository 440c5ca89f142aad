/** Norms: a correctly rounded root a row, one rounding an entry, and close to floating point. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compare, multiply, rational } from '../../compiler/ir/numbers/rational.ts';
import type { Rational } from '../../compiler/ir/tensor/program.ts';
import { dropBits, expectClose, fill, integers, run, sum } from './run.ts';

const RUNS = { numRuns: 12 };
const shapes = fc.record({ T: fc.constantFrom(1, 2, 3, 5), D: fc.constantFrom(2, 3, 4, 7, 8, 12), seed: fc.nat() });

const model = (T: number, D: number, block: string): string =>
  `import { ${block} } from "std"
   model m {
     dim T = ${T}, D = ${D}
     secret x[T, D]: fixed<16, 11>
     public y = ${block}(x, 1e-5)
   }`;

/** Whether the reciprocal root of every row fits its type, which holds 16: rows of small numbers have larger ones. */
const fits = (x: readonly bigint[], T: number, D: number): boolean =>
  Array.from({ length: T }, (_, t) => sum(D, 0n, (d: number) => x[t * D + d] ** 2n)).every(
    (squares) => 250n * squares > BigInt(D) * 2n ** 22n,
  );

/** Whether s is 2^frac / sqrt(q), rounded to the nearest integer. */
function isRoot(s: bigint, q: Rational, frac: number): boolean {
  const target = rational(1n << BigInt(2 * frac + 2));
  const square = (n: bigint): Rational => multiply(rational(n * n), q);
  return compare(square(2n * s - 1n), target) <= 0 && compare(target, square(2n * s + 1n)) < 0;
}

describe('norms', () => {
  test('rmsnorm', () => {
    fc.assert(
      fc.property(shapes, ({ T, D, seed }) => {
        const draw = integers(seed, 12);
        fc.pre(fits(draw('x', T * D), T, D));
        const found = run(model(T, D, 'rmsnorm'), draw);
        const [x, g] = [draw('x', T * D), draw('y/g', D)];
        const [s, y] = [found('y/s').integers, found('y').integers];
        for (let t = 0; t < T; t++) {
          const squares = sum(D, 0n, (d: number) => x[t * D + d] ** 2n);
          // eps + the mean of squares of 22 fraction bits.
          const q = rational((1n << 22n) * BigInt(D) + 100000n * squares, 100000n * BigInt(D) * (1n << 22n));
          expect(isRoot(s[t], q, 11)).toBe(true);
        }
        expect(y).toEqual(fill([T, D], (t, d) => dropBits(x[t * D + d] * s[t] * g[d], 22)));

        const real = (v: bigint): number => Number(v) / 2 ** 11;
        const expected = fill([T, D], (t, d) => {
          const mean = sum(D, 0, (i: number) => real(x[t * D + i]) ** 2) / D;
          return (real(x[t * D + d]) * real(g[d])) / Math.sqrt(1e-5 + mean);
        });
        expectClose(found('y').values, expected, 3e-3);
      }),
      RUNS,
    );
  });

  test('centred_rmsnorm', () => {
    fc.assert(
      fc.property(shapes, ({ T, D, seed }) => {
        const draw = integers(seed, 12);
        fc.pre(fits(draw('x', T * D), T, D));
        const found = run(model(T, D, 'centred_rmsnorm'), draw);
        const [x, g, s] = [draw('x', T * D), draw('y/g', D), found('y/s').integers];
        // Exact, and with the root that `rmsnorm` has.
        expect(s).toEqual(run(model(T, D, 'rmsnorm'), draw)('y/s').integers);
        const y = found('y');
        const exact = fill([T, D], (t, d) => x[t * D + d] * s[t] * ((1n << 11n) + g[d]));
        expect(y.integers.map((v) => multiply(rational(v), y.scale))).toEqual(exact.map((v) => rational(v, 1n << 33n)));
      }),
      RUNS,
    );
  });

  test('layernorm', () => {
    fc.assert(
      fc.property(shapes, ({ T, D, seed }) => {
        const draw = integers(seed, 12);
        // s is about 1 / D of what it is in rmsnorm, so it gets more fraction bits than the rest.
        const found = run(model(T, D, 'layernorm'), draw, { bits: 26, frac: 15 });
        const [x, g, b] = [draw('x', T * D), draw('y/g', D), draw('y/b', D)];
        const [s, y] = [found('y/s').integers, found('y').integers];
        const c = fill([T, D], (t, d) => BigInt(D) * x[t * D + d] - sum(D, 0n, (i: number) => x[t * D + i]));
        for (let t = 0; t < T; t++) {
          const squares = sum(D, 0n, (d: number) => c[t * D + d] ** 2n);
          const eps = BigInt(D * D);
          const q = rational(eps * (1n << 22n) * BigInt(D) + 100000n * squares, 100000n * BigInt(D) * (1n << 22n));
          expect(isRoot(s[t], q, 15)).toBe(true);
        }
        // c has 11 fraction bits, s, g, b and y have 15.
        expect(y).toEqual(fill([T, D], (t, d) => dropBits(c[t * D + d] * s[t] * g[d] + (b[d] << 26n), 26)));

        const real = (v: bigint): number => Number(v) / 2 ** 11;
        const expected = fill([T, D], (t, d) => {
          const mean = sum(D, 0, (i: number) => real(x[t * D + i])) / D;
          const variance = sum(D, 0, (i: number) => (real(x[t * D + i]) - mean) ** 2) / D;
          const [gain, bias] = [g, b].map((w) => Number(w[d]) / 2 ** 15);
          return ((real(x[t * D + d]) - mean) * gain) / Math.sqrt(1e-5 + variance) + bias;
        });
        expectClose(found('y').values, expected, 1e-3);
      }),
      RUNS,
    );
  });
});
