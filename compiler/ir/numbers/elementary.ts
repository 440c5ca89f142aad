/**
 * exp, log, sin, cos, erf and tanh of fixed-point intervals, on bigints. Argument reduction and Taylor or atanh series with guard
 * bits (Muller, "Elementary Functions", 3rd ed., chapters 5 and 11): each result errs by less than 2 units in the last
 * place, and the interval is widened by 2.
 */
import { integerSqrt } from './rational.ts';

/** Bounds of a real number times 2^bits. */
export interface FixedInterval {
  readonly lo: bigint;
  readonly hi: bigint;
}

/** More than 2^12 roundings of an intermediate never reach the last place. */
const GUARD = 32;
/** exp halves its argument this often before the series, and squares the sum as often after it. */
const HALVINGS = 8;

const cached = (compute: (bits: number) => bigint): ((bits: number) => bigint) => {
  const known = new Map<number, bigint>();
  return (bits) => {
    let value = known.get(bits);
    if (value === undefined) known.set(bits, (value = compute(bits)));
    return value;
  };
};

/** atanh(1/n) * 2^bits. */
function inverseAtanh(n: bigint, bits: number, sign: 1n | -1n): bigint {
  let power = (1n << BigInt(bits)) / n;
  let sum = 0n;
  for (let k = 0n; power !== 0n; k++) {
    const term = power / (2n * k + 1n);
    sum += sign === -1n && k % 2n === 1n ? -term : term;
    power /= n * n;
  }
  return sum;
}

/** ln 2 = 18 atanh(1/26) - 2 atanh(1/4801) + 8 atanh(1/8749). */
const ln2 = cached((bits) => {
  const inner = bits + GUARD;
  const sum =
    18n * inverseAtanh(26n, inner, 1n) - 2n * inverseAtanh(4801n, inner, 1n) + 8n * inverseAtanh(8749n, inner, 1n);
  return sum >> BigInt(GUARD);
});

/** pi / 2 = 8 atan(1/5) - 2 atan(1/239) (Machin). */
const halfPi = cached((bits) => {
  const inner = bits + GUARD;
  return (8n * inverseAtanh(5n, inner, -1n) - 2n * inverseAtanh(239n, inner, -1n)) >> BigInt(GUARD);
});

const bitLength = (n: bigint): number => (n < 0n ? -n : n).toString(2).length;
const shift = (n: bigint, by: number): bigint => (by >= 0 ? n << BigInt(by) : n >> BigInt(-by));
/** Nearest integer to a / b, b > 0. */
const nearest = (a: bigint, b: bigint): bigint => {
  const q = (2n * a + b) / (2n * b);
  return (2n * a + b) % (2n * b) < 0n ? q - 1n : q;
};

/** e^(x / 2^bits) * 2^bits. */
function exp(x: bigint, bits: number): bigint {
  const whole = Number(nearest(x, ln2(bits)));
  // The result has `whole` more bits before the point than the reduced one.
  const inner = bits + Math.max(0, whole) + bitLength(BigInt(whole)) + GUARD;
  const r = shift(x, inner - bits) - BigInt(whole) * ln2(inner);
  const scale = BigInt(inner);
  const small = r >> BigInt(HALVINGS);
  let term = 1n << scale;
  let sum = term;
  for (let k = 1n; term !== 0n && term !== -1n; k++) {
    term = (term * small) / (k << scale);
    sum += term;
  }
  for (let k = 0; k < HALVINGS; k++) sum = (sum * sum) >> scale;
  return shift(sum, whole - (inner - bits));
}

/** ln(x / 2^bits) * 2^bits, x > 0. */
function log(x: bigint, bits: number): bigint {
  const exponent = bitLength(x) - bits;
  const inner = bits + bitLength(BigInt(exponent)) + GUARD;
  // m = x / 2^exponent in [1/2, 1); ln m = 2 atanh((m - 1) / (m + 1)).
  const m = shift(x, inner - bits - exponent);
  const one = 1n << BigInt(inner);
  const y = ((m - one) << BigInt(inner)) / (m + one);
  const square = (y * y) >> BigInt(inner);
  let power = y;
  let sum = 0n;
  for (let k = 1n; power !== 0n && power !== -1n; k += 2n) {
    sum += power / k;
    power = (power * square) >> BigInt(inner);
  }
  return shift(2n * sum + BigInt(exponent) * ln2(inner), bits - inner);
}

/** sin and cos of x / 2^bits, times 2^bits. */
function sinCos(x: bigint, bits: number): { sin: bigint; cos: bigint } {
  const turns = nearest(x, halfPi(bits));
  const inner = bits + bitLength(turns) + GUARD;
  const r = shift(x, inner - bits) - turns * halfPi(inner);
  const scale = BigInt(inner);
  let [sin, cos] = [0n, 0n];
  let term = 1n << scale;
  for (let k = 0n; term !== 0n && term !== -1n; k++) {
    if (k % 2n === 0n) cos += k % 4n === 0n ? term : -term;
    else sin += k % 4n === 1n ? term : -term;
    term = (term * r) / ((k + 1n) << scale);
  }
  const quadrant = ((turns % 4n) + 4n) % 4n;
  const [s, c] = [shift(sin, bits - inner), shift(cos, bits - inner)];
  if (quadrant === 0n) return { sin: s, cos: c };
  if (quadrant === 1n) return { sin: c, cos: -s };
  if (quadrant === 2n) return { sin: -s, cos: -c };
  return { sin: -c, cos: s };
}

/**
 * erf(x / 2^bits) * 2^bits by the series 2 / sqrt(pi) e^(-x^2) sum (2 x^2)^n x / (1 * 3 * ... * (2 n + 1)), whose terms are
 * all positive (Abramowitz and Stegun, 7.1.6).
 */
function erf(x: bigint, bits: number): bigint {
  if (x < 0n) return -erf(-x, bits);
  const one = 1n << BigInt(bits);
  // 1 - erf(x) < e^(-x^2), which is below half a unit here.
  if (x * x > BigInt(bits + 1) << BigInt(2 * bits)) return one;
  // The sum has up to x^2 / ln 2 bits before the point, which e^(-x^2) takes away again.
  const inner = bits + GUARD + Number((x * x * 3n) >> BigInt(2 * bits + 1));
  const scale = BigInt(inner);
  const at = shift(x, inner - bits);
  const double = (at * at) >> (scale - 1n);
  let term = at;
  let sum = at;
  for (let k = 3n; term !== 0n; k += 2n) {
    term = (term * double) / (k << scale);
    sum += term;
  }
  const fall = exp(-((at * at) >> scale), inner);
  // sqrt(4 / pi) * 2^inner.
  const factor = integerSqrt((2n << (3n * scale)) / halfPi(inner));
  return shift((((fall * sum) >> scale) * factor) >> scale, bits - inner);
}

/** tanh(x / 2^bits) * 2^bits = (1 - e^-2x) / (1 + e^-2x). */
function tanh(x: bigint, bits: number): bigint {
  if (x < 0n) return -tanh(-x, bits);
  const inner = bits + GUARD;
  const one = 1n << BigInt(inner);
  // e^-2x is below half a unit here.
  if (x >> BigInt(bits) > BigInt(bits)) return 1n << BigInt(bits);
  const fall = exp(-shift(2n * x, inner - bits), inner);
  return shift(((one - fall) << BigInt(inner)) / (one + fall), bits - inner);
}

const widen = (lo: bigint, hi: bigint): FixedInterval => ({ lo: lo - 2n, hi: hi + 2n });

function monotone(f: (x: bigint, bits: number) => bigint, x: FixedInterval, bits: number): FixedInterval {
  const lo = f(x.lo, bits);
  return widen(lo, x.hi === x.lo ? lo : f(x.hi, bits));
}

export const expInterval = (x: FixedInterval, bits: number): FixedInterval => monotone(exp, x, bits);

/** @param x with `lo` > 0 */
export const logInterval = (x: FixedInterval, bits: number): FixedInterval => monotone(log, x, bits);

export const erfInterval = (x: FixedInterval, bits: number): FixedInterval => monotone(erf, x, bits);

export const tanhInterval = (x: FixedInterval, bits: number): FixedInterval => monotone(tanh, x, bits);

/** Both functions change by no more than their argument. */
export function sinInterval(x: FixedInterval, bits: number): FixedInterval {
  const { sin } = sinCos(x.lo, bits);
  return widen(sin - (x.hi - x.lo), sin + (x.hi - x.lo));
}

export function cosInterval(x: FixedInterval, bits: number): FixedInterval {
  const { cos } = sinCos(x.lo, bits);
  return widen(cos - (x.hi - x.lo), cos + (x.hi - x.lo));
}
