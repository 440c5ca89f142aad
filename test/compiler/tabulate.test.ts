/** Values of tables' functions, in doubles and in intervals of bigints: those of exact arithmetic, or none. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addReal,
  applyReal,
  divideReal,
  exactly,
  multiplyReal,
  negateReal,
  powerReal,
  roundReal,
} from '../../compiler/ir/numbers/real.ts';
import type { RealFunction } from '../../compiler/ir/numbers/real.ts';
import { doubleTabulator } from '../../compiler/check/numbers/doubles.ts';
import { intervalTabulator, tabulator } from '../../compiler/check/numbers/tabulate.ts';
import { rational } from '../../compiler/ir/numbers/rational.ts';
import type { RealExpression } from '../../compiler/ir/tensor/program.ts';

describe('tabulated functions', () => {
  const oneOf = (at: ReturnType<typeof doubleTabulator>, n: number): bigint | undefined => {
    const results = new Float64Array(1);
    at(BigInt(n), results);
    return Number.isNaN(results[0]) ? undefined : BigInt(results[0]);
  };
  const tabulated = (f: RealExpression, frac: number, out: number): ((n: bigint) => bigint | undefined) => {
    const { quickly, slowly } = tabulator(f, frac, out);
    return (n) => oneOf(quickly, Number(n)) ?? slowly(n);
  };
  const x: RealExpression = { kind: 'argument' };
  const number = (n: number, d = 1): RealExpression => ({ kind: 'number', value: rational(n, d) });
  const binary = (
    kind: 'add' | 'subtract' | 'multiply' | 'divide' | 'power',
    left: RealExpression,
    right: RealExpression,
  ): RealExpression => ({
    kind,
    left,
    right,
  });
  const square = binary('power', x, number(2));

  test('are those of exact arithmetic, ties included', () => {
    const cases: [RealExpression, (v: bigint) => bigint][] = [
      // Integers of 4 fraction bits to integers of 4: x / 2 has ties, x^2 has them, so has |x| / 2.
      [binary('divide', x, number(2)), (v) => (v + 1n) >> 1n],
      [square, (v) => (v * v + 8n) >> 4n],
      [
        binary('multiply', number(1, 2), { kind: 'apply', function: 'sqrt', of: square }),
        (v) => ((v < 0n ? -v : v) + 1n) >> 1n,
      ],
      [
        binary('divide', number(3), binary('add', square, number(1))),
        (v) => (2n * 48n * 256n + (v * v + 256n)) / (2n * (v * v + 256n)),
      ],
    ];
    for (const [f, expected] of cases) {
      const at = tabulated(f, 4, 4);
      const decided = Array.from({ length: 2001 }, (_, k) => BigInt(k - 1000)).filter((v) => {
        const found = at(v);
        if (found !== undefined) expect(found, String(v)).toBe(expected(v));
        return found !== undefined;
      });
      expect(decided.length).toBeGreaterThan(900);
    }
  });

  test('are those of the slow way for functions', () => {
    const f: RealExpression = {
      kind: 'apply',
      function: 'tanh',
      of: binary('multiply', x, { kind: 'apply', function: 'exp', of: binary('divide', x, number(3)) }),
    };
    const at = tabulated(f, 10, 14);
    fc.assert(
      fc.property(fc.integer({ min: -8192, max: 8192 }), (n) => {
        const v = exactly(rational(n, 1024));
        const slow = applyReal('tanh', multiplyReal(v, applyReal('exp', divideReal(v, exactly(rational(3))))));
        expect(at(BigInt(n))).toBe(roundReal(slow, 14));
      }),
      { numRuns: 200 },
    );
  });

  test('are decided by doubles, nearly all of them, as bigints decide them', () => {
    const apply = (name: RealFunction, of: RealExpression): RealExpression => ({ kind: 'apply', function: name, of });
    const [one, half] = [number(1), binary('divide', x, number(2))];
    const cases: Record<string, RealExpression> = {
      silu: binary('multiply', half, binary('add', one, apply('tanh', half))),
      gelu: binary(
        'multiply',
        half,
        binary(
          'add',
          one,
          apply('tanh', binary('multiply', number(4, 5), binary('add', x, binary('power', x, number(3))))),
        ),
      ),
      gelu_erf: binary(
        'multiply',
        half,
        binary('add', one, apply('erf', binary('divide', x, apply('sqrt', number(2))))),
      ),
      relu: binary('divide', binary('add', x, apply('sqrt', square)), number(2)),
      exp: apply('exp', binary('multiply', number(-1), square)),
      log: apply('log', binary('add', square, number(1, 3))),
      inverse: binary('divide', number(7), binary('add', square, one)),
      nested: apply('tanh', binary('multiply', x, apply('exp', binary('divide', x, number(3))))),
    };
    for (const [name, f] of Object.entries(cases))
      for (const [frac, out] of [
        [11, 13],
        [6, 8],
        [2, 30],
        [14, 0],
      ]) {
        const [quickly, slowly] = [doubleTabulator(f, frac, out), intervalTabulator(f, frac, out)];
        let decided = 0;
        for (let n = -(2 ** 15); n < 2 ** 15; n += 131) {
          const found = oneOf(quickly, n);
          if (found === undefined) continue;
          decided++;
          const want = slowly(BigInt(n));
          if (want !== undefined) expect({ name, frac, out, n, found }).toEqual({ name, frac, out, n, found: want });
        }
        // The types of the standard library.
        if (frac === 11 && name !== 'nested') expect(decided, name).toBeGreaterThan(480);
      }
  });

  test('have bounds that hold where values are large, small or nothing', () => {
    const exp3 = doubleTabulator({ kind: 'apply', function: 'exp', of: binary('multiply', x, number(1000)) }, 0, 10);
    expect([-10, 0, 1].map((n) => oneOf(exp3, n))).toEqual([0n, 1024n, undefined]);
    const undecided = (f: RealExpression, n: number) => expect(oneOf(doubleTabulator(f, 0, 0), n)).toBeUndefined();
    // A tie is decided by nobody's rounding.
    undecided(binary('divide', x, number(2)), 3);
    undecided(binary('divide', number(1), x), 0);
    undecided({ kind: 'apply', function: 'log', of: x }, 0);
    undecided(binary('add', x, number(2 ** 53)), 1);
  });

  test('that doubles do not decide leave those beside them as they are', () => {
    const results = new Float64Array(5);
    const twice = binary('add', binary('divide', number(1), x), binary('divide', number(1), x));
    doubleTabulator(twice, 0, 4)(-2n, results);
    expect([...results]).toEqual([-16, -32, NaN, 32, 16]);
    // Once unknown, always: no operation or function makes a number of it.
    const inverse = binary('divide', number(1), x);
    const after: RealExpression[] = [
      ...(['add', 'subtract', 'multiply', 'divide'] as const).flatMap((kind) => [
        binary(kind, inverse, x),
        binary(kind, x, inverse),
      ]),
      binary('power', inverse, number(2)),
      ...(['exp', 'log', 'erf', 'tanh', 'sqrt'] as const).map((name) => ({
        kind: 'apply' as const,
        function: name,
        of: inverse,
      })),
    ];
    for (const f of after) expect(oneOf(doubleTabulator(f, 0, 4), 0), JSON.stringify(f.kind)).toBeUndefined();
  });

  test('are the same in stretches', () => {
    const at = doubleTabulator(binary('divide', x, number(3)), 4, 4);
    const all = new Float64Array(5001);
    at(-2500n, all);
    for (const k of [0, 1, 1023, 1024, 2500, 4096, 5000]) expect(BigInt(all[k])).toBe(oneOf(at, k - 2500));
  });

  test('leave poles and what is not real to exact arithmetic', () => {
    const inverse = tabulated(binary('divide', number(1), x), 4, 4);
    expect([inverse(0n), inverse(16n)]).toEqual([undefined, 16n]);
    expect(tabulated({ kind: 'apply', function: 'log', of: x }, 4, 4)(-16n)).toBeUndefined();
  });
});

test('powers of many bits, which are not worked out, are rounded as those of few are', () => {
  const one = exactly(rational(1));
  for (const [num, den] of [
    [9n, 10n],
    [999n, 1000n],
    [3n, 2n],
  ] as const)
    for (const n of [1, 50, 102, 103, 104, 256, 257, 258, 400]) {
      const power = powerReal(exactly(rational(num, den)), exactly(rational(n)));
      const value = divideReal(one, addReal(one, negateReal(power)));
      const [p, q] = [num ** BigInt(n), den ** BigInt(n)];
      // floor(2^40 q / (q - p) + 1/2)
      const [top, bottom] = [(q << 41n) + (q - p), 2n * (q - p)];
      const [a, b] = bottom > 0n ? [top, bottom] : [-top, -bottom];
      expect(roundReal(value, 40)).toBe(a >= 0n ? a / b : -((-a + b - 1n) / b));
    }
  expect(powerReal(exactly(rational(2)), exactly(rational(1024))).kind).toBe('rational');
  expect(powerReal(exactly(rational(2)), exactly(rational(1025))).kind).not.toBe('rational');
});
