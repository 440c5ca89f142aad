/** Exact arithmetic: rationals, the four forms of `round`, correctly rounded reals, quantisation. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addReal,
  applyReal,
  divideReal,
  exactly,
  multiplyReal,
  powerReal,
  roundReal,
} from '../../compiler/ir/numbers/real.ts';
import type { RealFunction } from '../../compiler/ir/numbers/real.ts';
import { ValueError, dequantise, quantise, roundDouble } from '../../compiler/interpret/index.ts';
import {
  NumberTooLarge,
  add,
  compare,
  divide,
  formatRational,
  gcdRational,
  integerSqrt,
  multiply,
  parseDecimal,
  power,
  powerOfTwo,
  rational,
  roundTo,
  signedBits,
} from '../../compiler/ir/numbers/rational.ts';
import { roundForm } from '../../compiler/ir/numbers/rounding.ts';

const bigint = (bits: number): fc.Arbitrary<bigint> =>
  fc.bigInt({ min: -(2n ** BigInt(bits)), max: 2n ** BigInt(bits) });
const rationals = fc.tuple(bigint(40), fc.bigInt({ min: 1n, max: 2n ** 40n })).map(([n, d]) => rational(n, d));
const positive = fc
  .tuple(fc.bigInt({ min: 1n, max: 2n ** 40n }), fc.bigInt({ min: 1n, max: 2n ** 40n }))
  .map(([n, d]) => rational(n, d));

describe('rationals', () => {
  test('decimals are read exactly', () => {
    expect(parseDecimal('1e-5')).toEqual(rational(1, 100000));
    expect(parseDecimal('2.50')).toEqual(rational(5, 2));
    expect(parseDecimal('12E3')).toEqual(rational(12000));
    for (const text of ['', '1.', '.5', 'e5', '1e2000', '0x10']) expect(parseDecimal(text)).toBeUndefined();
  });

  test('numbers that no program means are refused, not computed', () => {
    expect(() => power(rational(2), 70000n)).toThrow(NumberTooLarge);
    const large = power(rational(2), 60000n);
    expect(() => multiply(large, large)).toThrow(NumberTooLarge);
    expect(() => rational(1, 0)).toThrow(RangeError);
  });

  test('the common divisor divides both, in lowest terms', () => {
    fc.assert(
      fc.property(rationals, positive, (a, b) => {
        const g = gcdRational(a, b);
        expect(divide(a, g).den).toBe(1n);
        expect(divide(b, g).den).toBe(1n);
      }),
    );
  });

  test('formats', () => {
    expect([rational(3), rational(1, 16), rational(3, 4), rational(-1, 2)].map(formatRational)).toEqual([
      '3',
      '2^-4',
      '3/4',
      '-1/2',
    ]);
    expect([0n, -1n, 1n, 127n, -128n, 128n].map(signedBits)).toEqual([1, 1, 2, 8, 8, 9]);
  });

  test('the integer root is the largest whose square fits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 200n }), (n) => {
        const r = integerSqrt(n);
        expect(r * r <= n && (r + 1n) * (r + 1n) > n).toBe(true);
      }),
    );
  });
});

describe('round', () => {
  test('ties go up', () => {
    expect([1, -1, 3, -3].map((n) => roundTo(rational(n, 2), 0))).toEqual([1n, 0n, 2n, -1n]);
    expect(roundForm('P/Q', rational(-5), rational(2), 0)).toBe(-2n);
    expect(roundForm('sqrt(P)', rational(25, 4), rational(1), 0)).toBe(3n);
    expect(roundForm('P/sqrt(Q)', rational(-5), rational(4), 0)).toBe(-2n);
    expect(roundForm('P/sqrt(Q)', rational(5), rational(4), 0)).toBe(3n);
  });

  test('is the integer n with n - 1/2 <= value 2^f < n + 1/2, for every form', () => {
    const half = rational(1, 2);
    const unit = (frac: number) => powerOfTwo(frac);
    fc.assert(
      fc.property(rationals, positive, fc.integer({ min: -5, max: 20 }), (p, q, frac) => {
        const within = (n: bigint, value: typeof p): boolean => {
          const scaled = multiply(value, unit(frac));
          return compare(add(rational(n), rational(-1, 2)), scaled) <= 0 && compare(scaled, add(rational(n), half)) < 0;
        };
        expect(within(roundForm('P', p, q, frac), p)).toBe(true);
        expect(within(roundForm('P/Q', p, q, frac), divide(p, q))).toBe(true);
        // For a root, by signed squares: x -> x |x| keeps the order.
        const signed = (x: typeof p) => multiply(x, x.num < 0n ? rational(-x.num, x.den) : x);
        const rooted = (n: bigint, square: typeof p): boolean => {
          const scaled = multiply(square, unit(2 * frac));
          const [low, high] = [add(rational(n), rational(-1, 2)), add(rational(n), half)].map(signed);
          return compare(low, scaled) <= 0 && compare(scaled, high) < 0;
        };
        expect(rooted(roundForm('sqrt(P)', q, q, frac), q)).toBe(true);
        expect(rooted(roundForm('P/sqrt(Q)', p, q, frac), divide(signed(p), q))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('a divisor that is not positive and the root of a negative number are errors', () => {
    expect(() => roundForm('P/Q', rational(1), rational(0), 4)).toThrow(RangeError);
    expect(() => roundForm('P/sqrt(Q)', rational(1), rational(-1), 4)).toThrow(RangeError);
    expect(() => roundForm('sqrt(P)', rational(-1), rational(1), 4)).toThrow(RangeError);
  });
});

/** By integrating its derivative, with Simpson's rule. */
function erf(x: number): number {
  const steps = 2000;
  const h = Math.min(Math.abs(x), 7) / steps;
  let sum = 0;
  for (let k = 0; k <= steps; k++) {
    const weight = k === 0 || k === steps ? 1 : k % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp(-((k * h) ** 2));
  }
  return (Math.sign(x) * 2 * h * sum) / (3 * Math.sqrt(Math.PI));
}

describe('correctly rounded reals', () => {
  const inside: Record<RealFunction, (x: number) => boolean> = {
    exp: (x) => x < 20,
    log: (x) => x > 0,
    sin: () => true,
    cos: () => true,
    sqrt: (x) => x >= 0,
    erf: () => true,
    tanh: () => true,
  };
  const platform = {
    exp: Math.exp,
    log: Math.log,
    sin: Math.sin,
    cos: Math.cos,
    sqrt: Math.sqrt,
    tanh: Math.tanh,
    erf,
  };

  test('agree with the platform to its precision', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(2 ** 16), max: 2 ** 16 }),
        fc.constantFrom<RealFunction>('exp', 'log', 'sin', 'cos', 'sqrt', 'erf', 'tanh'),
        (n, name) => {
          const x = n / 1024;
          fc.pre(inside[name](x));
          const exact = Number(roundReal(applyReal(name, exactly(rational(n, 1024))), 40)) / 2 ** 40;
          expect(Math.abs(exact - platform[name](x))).toBeLessThanOrEqual(2 ** -40 + Math.abs(exact) * 2 ** -50);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('known digits', () => {
    const one = exactly(rational(1));
    const digits = (bits: number, x: Parameters<typeof roundReal>[0]): string => roundReal(x, bits).toString(16);
    // e, ln 2 and sin 1 times 2^200, rounded.
    expect(digits(200, applyReal('exp', one))).toMatch(/^2b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a/);
    expect(digits(200, applyReal('log', exactly(rational(2))))).toMatch(
      /^b17217f7d1cf79abc9e3b39803f2f6af40f343267298b62d8/,
    );
    expect(Number(roundReal(applyReal('sin', one), 60)) / 2 ** 60).toBeCloseTo(Math.sin(1), 14);
    expect(roundReal(powerReal(exactly(rational(10000)), exactly(rational(-1, 2))), 20)).toBe(10486n);
  });

  test('rational results stay exact, so that ties are decided', () => {
    const root = applyReal('sqrt', exactly(rational(9, 4)));
    expect(root).toEqual(exactly(rational(3, 2)));
    expect(roundReal(addReal(root, exactly(rational(-1))), 0)).toBe(1n);
    expect(applyReal('exp', multiplyReal(exactly(rational(0)), applyReal('exp', exactly(rational(1)))))).toEqual(
      exactly(rational(1)),
    );
  });

  test('what is not a real number, or cannot be decided, is an error', () => {
    expect(() => applyReal('log', exactly(rational(0)))).toThrow('logarithm');
    expect(() => applyReal('sqrt', exactly(rational(-1)))).toThrow('square root');
    expect(() => divideReal(exactly(rational(1)), exactly(rational(0)))).toThrow('zero');
    const two = exactly(rational(2));
    // exp(log 2) - 2 + 1/2 is exactly on a tie, which no precision shows.
    const tie = addReal(applyReal('exp', applyReal('log', two)), exactly(rational(-3, 2)));
    expect(() => roundReal(tie, 0)).toThrow('tie');
  });
});

describe('quantisation', () => {
  test('is floor(x 2^f + 1/2), exactly', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: -4, max: 30 }), (x, frac) => {
        // A double is a rational: its shortest binary expansion by doubling.
        let [num, den] = [x, 1n];
        while (!Number.isInteger(num)) [num, den] = [num * 2, den * 2n];
        expect(roundDouble(x, frac)).toBe(roundTo(rational(BigInt(num), den), frac));
      }),
    );
  });

  test('there and back is within half a unit', () => {
    const type = { kind: 'fixed', bits: 16, frac: 8 } as const;
    fc.assert(
      fc.property(fc.array(fc.double({ min: -127, max: 127, noNaN: true }), { minLength: 1, maxLength: 20 }), (xs) => {
        const back = dequantise(quantise('x', [xs.length], xs, type), powerOfTwo(-8));
        xs.forEach((x, k) => expect(Math.abs(x - back[k])).toBeLessThanOrEqual(2 ** -9));
      }),
    );
  });

  test('refuses what does not fit, naming tensor, entry, value and bits', () => {
    const type = { kind: 'fixed', bits: 8, frac: 4 } as const;
    expect(() => quantise('h.0.A', [2, 2], [0, 1, 8, 0], type)).toThrow(
      'h.0.A[1, 0] = 8 needs 9 bits; fixed<8, 4> is declared',
    );
    expect(() => quantise('A', [2], [0, NaN], type)).toThrow('A[1] = NaN is not a finite number');
    expect(() => quantise('A', [1], [Infinity], type)).toThrow(ValueError);
    expect(() => quantise('A', [3], [0], type)).toThrow('shape [1] given, [3] expected');
    expect(() => quantise('t', [1], [0.5], { kind: 'index', size: 4 })).toThrow(ValueError);
    expect(() => quantise('t', [1], [4], { kind: 'index', size: 4 })).toThrow(ValueError);
    expect(quantise('A', [3], [-8, 7.9375, 0.03125], type).values).toEqual([-128n, 127n, 1n]);
  });

  test('large integers become the nearest double', () => {
    const values = [0n, 1n, -(3n ** 90n), 2n ** 200n + 1n];
    const back = dequantise({ shape: [4], values }, rational(1, 3n ** 20n));
    values.forEach((v, k) => expect(back[k]).toBeCloseTo(Number(v) / 3 ** 20, 6));
  });
});
