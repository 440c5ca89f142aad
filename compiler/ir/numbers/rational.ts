/** Exact rationals on bigints, always in lowest terms with a positive denominator. */
import type { Rational } from '../tensor/program.ts';

export const ZERO: Rational = { num: 0n, den: 1n };
export const ONE: Rational = { num: 1n, den: 1n };

export function gcd(a: bigint, b: bigint): bigint {
  a = a < 0n ? -a : a;
  b = b < 0n ? -b : b;
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

/** Numerators and denominators stay below 2^65536: nothing a program means comes near, and arithmetic stays quick. */
const HUGE_BITS = 65536;
const HUGE = 1n << BigInt(HUGE_BITS);

/** A rational left the numbers this module computes with. */
export class NumberTooLarge extends RangeError {}

/**
 * `num / den` in lowest terms.
 *
 * @throws RangeError where `den` is 0; NumberTooLarge where a side has more than 65536 bits.
 */
export function rational(num: bigint | number, den: bigint | number = 1n): Rational {
  let n = BigInt(num);
  let d = BigInt(den);
  if (d === 0n) throw new RangeError('a rational with denominator 0');
  if (d < 0n) [n, d] = [-n, -d];
  if (n > HUGE || n < -HUGE || d > HUGE) throw new NumberTooLarge('a number of more than 65536 bits');
  const g = d === 1n ? 1n : gcd(n, d);
  return g === 1n ? { num: n, den: d } : { num: n / g, den: d / g };
}

/** The largest power of ten a decimal literal may be scaled by; beyond it the literal is refused. */
const MAX_EXPONENT = 1000;

/** A decimal as the language writes it (`12`, `0.5`, `1e-5`), exactly; undefined where it is none or its exponent is absurd. */
export function parseDecimal(text: string): Rational | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', power = '0'] = match;
  const exponent = Number(power) - fraction.length;
  if (Math.abs(exponent) > MAX_EXPONENT) return undefined;
  const digits = BigInt(sign + whole + fraction);
  return exponent >= 0 ? rational(digits * 10n ** BigInt(exponent)) : rational(digits, 10n ** BigInt(-exponent));
}

export const add = (a: Rational, b: Rational): Rational =>
  a.den === b.den ? rational(a.num + b.num, a.den) : rational(a.num * b.den + b.num * a.den, a.den * b.den);
export const negate = (a: Rational): Rational => ({ num: -a.num, den: a.den });
export const subtract = (a: Rational, b: Rational): Rational => add(a, negate(b));
export const multiply = (a: Rational, b: Rational): Rational => rational(a.num * b.num, a.den * b.den);
export const divide = (a: Rational, b: Rational): Rational => rational(a.num * b.den, a.den * b.num);
export const compare = (a: Rational, b: Rational): -1 | 0 | 1 => {
  const d = a.num * b.den - b.num * a.den;
  return d < 0n ? -1 : d > 0n ? 1 : 0;
};
export const equals = (a: Rational, b: Rational): boolean => a.num === b.num && a.den === b.den;
export const isInteger = (a: Rational): boolean => a.den === 1n;

/** At most how many bits a power has on its longer side. */
export function powerBits(a: Rational, exponent: bigint): bigint {
  const bits = Math.max((a.num < 0n ? -a.num : a.num).toString(2).length, a.den.toString(2).length) - 1;
  return BigInt(bits) * (exponent < 0n ? -exponent : exponent);
}

/**
 * `a` to an integer power, negative ones included (then `a` is not 0).
 *
 * @throws NumberTooLarge where the result would have more than 65536 bits.
 */
export function power(a: Rational, exponent: bigint): Rational {
  if (powerBits(a, exponent) > BigInt(HUGE_BITS)) throw new NumberTooLarge('a number of more than 65536 bits');
  return exponent >= 0n
    ? { num: a.num ** exponent, den: a.den ** exponent }
    : rational(a.den ** -exponent, a.num ** -exponent);
}

/** 2^exponent. */
export const powerOfTwo = (exponent: number): Rational =>
  exponent >= 0 ? { num: 1n << BigInt(exponent), den: 1n } : { num: 1n, den: 1n << BigInt(-exponent) };

/** The largest positive rational of which both are integer multiples; of 0 and b, |b|. */
export function gcdRational(a: Rational, b: Rational): Rational {
  return rational(gcd(a.num * b.den, b.num * a.den), a.den * b.den);
}

/** Division toward minus infinity, `b` > 0. */
export function floorDiv(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b < 0n ? q - 1n : q;
}

export const floor = (a: Rational): bigint => floorDiv(a.num, a.den);

/** floor(a * 2^frac + 1/2): the integer that `round<bits, frac>` gives, before its range is looked at. */
export function roundTo(a: Rational, frac: number): bigint {
  const scaled = multiply(a, powerOfTwo(frac));
  return floorDiv(2n * scaled.num + scaled.den, 2n * scaled.den);
}

/** Bits of the smallest signed type that holds `value`. */
export const signedBits = (value: bigint): number => {
  const size = value < 0n ? -value - 1n : value;
  return size === 0n ? 1 : size.toString(2).length + 1;
};

/** Largest integer whose square is at most `n`; `n` >= 0. */
export function integerSqrt(n: bigint): bigint {
  if (n < 2n) return n;
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const y = (x + n / x) >> 1n;
    if (y >= x) return x;
    x = y;
  }
}

/** The nearest double, or one next to it, whatever the sizes of the two sides. */
export function toNumber({ num, den }: Rational): number {
  if (num === 0n) return 0;
  const size = num < 0n ? -num : num;
  const shift = 64 + den.toString(2).length - size.toString(2).length;
  const scaled = shift >= 0 ? (size << BigInt(shift)) / den : size / (den << BigInt(-shift));
  const value = Number(scaled) * 2 ** -shift;
  return num < 0n ? -value : value;
}

/** `3/4`, `12`, and powers of two as `2^-14`. */
export function formatRational(a: Rational): string {
  if (a.den === 1n) return a.num.toString();
  if (a.num === 1n && (a.den & (a.den - 1n)) === 0n) return `2^-${a.den.toString(2).length - 1}`;
  return `${a.num}/${a.den}`;
}
