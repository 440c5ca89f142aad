/**
 * Values of a table's function in double precision, each with a bound of its error: what decides nearly all entries of a table. Only
 * +, -, * and / are used, which IEEE 754 fixes to the bit, and functions made of them, so that every machine decides the same ones.
 */
import type { Rational, RealExpression } from '../../ir/tensor/program.ts';

/** The real number is within `error` of `value`. */
interface Double {
  readonly value: number;
  readonly error: number;
}

type DoubleFunction = (x: Double) => Double | undefined;

/** Twice what rounding to nearest is off by, at most, of 1: the other half is for bounds, which are rounded, too. */
const UNIT = 2 ** -52;
/** Of values between these, products and quotients neither overflow nor lose digits. */
const LARGEST = 2 ** 400;
const SMALLEST = 2 ** -400;

/** A result of one operation, without its rounding in `error`. */
function rounded(value: number, error: number): Double | undefined {
  const size = Math.abs(value);
  if (!(size < LARGEST && error < LARGEST)) return undefined;
  if (size < SMALLEST) return { value: 0, error: error + 2 * SMALLEST };
  return { value, error: error + size * UNIT };
}

const multiply = (a: Double, b: Double): Double | undefined =>
  rounded(a.value * b.value, Math.abs(a.value) * b.error + Math.abs(b.value) * a.error + a.error * b.error);

function divide(a: Double, b: Double): Double | undefined {
  const least = Math.abs(b.value) - b.error;
  if (!(least > Math.abs(b.value) / 2 && least > SMALLEST)) return undefined;
  const value = a.value / b.value;
  return rounded(value, (a.error + Math.abs(value) * b.error) / least);
}

/** ln 2 in two parts: the first has 32 bits, so that its multiples up to 2^20 are exact. */
const LN2_HIGH = 0x1_62e4_2fee / 2 ** 33;
const LN2_LOW = 1.908_214_929_270_587_7e-10;
const INVERSE_LN2 = 1.442_695_040_888_963_4;

/** 1 / k!, the last first; the next is below 2^-57 at ln(2) / 2. */
const INVERSE_FACTORIALS = Array.from({ length: 15 }, (_, k) => k)
  .reduce<number[]>((all, k) => [...all, k === 0 ? 1 : all[k - 1] / k], [])
  .reverse();

const MAX_POWER = 600;
/** 2^k in place k + MOST_POWER. */
const powersOfTwo = ((): readonly number[] => {
  const up = [1];
  for (let k = 0; k < MAX_POWER; k++) up.push(up[k] * 2);
  return [
    ...up
      .slice(1)
      .map((p) => 1 / p)
      .reverse(),
    ...up,
  ];
})();

/** e^x, |x| <= 250, within 2^-47 of itself: reduction and 15 steps err by less than 2^-50. */
function exponential(x: number): number {
  const whole = Math.round(x * INVERSE_LN2);
  const r = x - whole * LN2_HIGH - whole * LN2_LOW;
  let sum = 0;
  for (const c of INVERSE_FACTORIALS) sum = sum * r + c;
  return sum * powersOfTwo[whole + MAX_POWER];
}

function exp({ value, error }: Double): Double | undefined {
  if (!(value <= 250 && error < 2 ** -10)) return undefined;
  if (value < -250) return { value: 0, error: 2 ** -360 };
  const power = exponential(value);
  return { value: power, error: power * (2 ** -47 + 2 * error) };
}

function tanh({ value, error }: Double): Double | undefined {
  if (!(error < 2 ** -10)) return undefined;
  // 1 - tanh(100) is below 2^-287.
  if (Math.abs(value) > 100) return { value: value < 0 ? -1 : 1, error: 2 ** -45 };
  const fall = exponential(-2 * Math.abs(value));
  const result = (1 - fall) / (1 + fall);
  return { value: value < 0 ? -result : result, error: error + 2 ** -45 };
}

/** ln(m 2^k) = k ln 2 + 2 atanh((m - 1) / (m + 1)), m in [0.7, 1.5). */
function log({ value, error }: Double): Double | undefined {
  if (!(value > SMALLEST && error < value / 4)) return undefined;
  let [m, k] = [value, 0];
  for (; m >= 1.5; k++) m /= 2;
  for (; m < 0.75; k--) m *= 2;
  const s = (m - 1) / (m + 1);
  const square = s * s;
  let sum = 0;
  for (let n = 31; n > 0; n -= 2) sum = sum * square + 1 / n;
  return {
    value: k * LN2_HIGH + (k * LN2_LOW + 2 * s * sum),
    error: (1 + Math.abs(k)) * 2 ** -48 + (2 * error) / value,
  };
}

/** 2 / sqrt(pi). */
const ERF_FACTOR = 1.128_379_167_095_512_6;

/** The series of `elementary.ts`: its terms are all positive, so that errors only add up. */
function erf({ value, error }: Double): Double | undefined {
  if (!(error < 2 ** -10)) return undefined;
  const x = Math.abs(value);
  const sign = value < 0 ? -1 : 1;
  // 1 - erf(6) is below 2^-55.
  if (x > 6) return { value: sign, error: 2 ** -45 + 2 * error };
  let term = x;
  let sum = x;
  for (let k = 3; term > sum * UNIT; k += 2) {
    term = (term * 2 * x * x) / k;
    sum += term;
  }
  return { value: sign * ERF_FACTOR * exponential(-x * x) * sum, error: 2 ** -40 + 2 * error };
}

/** The distance of s from the root is that of s^2 from x, over s plus the root: no word of `Math.sqrt` is taken for it. */
function sqrt({ value, error }: Double): Double | undefined {
  if (!(value > SMALLEST && error < value / 4)) return undefined;
  const root = Math.sqrt(value);
  return { value: root, error: (Math.abs(root * root - value) + value * 2 * UNIT + 2 * error) / root };
}

const FUNCTIONS: Readonly<Partial<Record<string, (x: Double) => Double | undefined>>> = { exp, log, erf, tanh, sqrt };

/** A number within 2^-52 of itself; undefined where its parts are no doubles. */
function double({ num, den }: Rational): Double | undefined {
  const [n, d] = [Number(num), Number(den)];
  return Math.abs(n) < 2 ** 53 && d < 2 ** 53 ? rounded(n / d, 0) : undefined;
}

/** f, or undefined where it has a part that is left to bigints. */
function doubles(f: RealExpression): DoubleFunction | undefined {
  switch (f.kind) {
    case 'argument':
      return (x) => x;
    case 'number': {
      const constant = double(f.value);
      return constant && (() => constant);
    }
    case 'apply': {
      const [apply, of] = [FUNCTIONS[f.function], doubles(f.of)];
      return (
        of &&
        apply &&
        ((x) => {
          const inner = of(x);
          return inner && apply(inner);
        })
      );
    }
    case 'power': {
      const of = doubles(f.left);
      const times = f.right.kind === 'number' && f.right.value.den === 1n ? Number(f.right.value.num) : -1;
      if (of === undefined || times < 0 || times > 16) return undefined;
      return (x) => {
        const factor = of(x);
        let product: Double | undefined = { value: 1, error: 0 };
        for (let k = 0; k < times; k++) product = factor && product && multiply(product, factor);
        return product;
      };
    }
    default: {
      const [left, right] = [doubles(f.left), doubles(f.right)];
      if (left === undefined || right === undefined) return undefined;
      const { kind } = f;
      return (x) => {
        const [a, b] = [left(x), right(x)];
        if (a === undefined || b === undefined) return undefined;
        if (kind === 'add') return rounded(a.value + b.value, a.error + b.error);
        if (kind === 'subtract') return rounded(a.value - b.value, a.error + b.error);
        return kind === 'multiply' ? multiply(a, b) : divide(a, b);
      };
    }
  }
}

/** floor(f(x / 2^frac) * 2^out + 1/2) as a function of the integer x, where doubles decide it; as `tabulator`, which has the rest. */
export function doubleTabulator(f: RealExpression, frac: number, out: number): (x: bigint) => bigint | undefined {
  const of = doubles(f);
  if (of === undefined || Math.abs(frac) > MAX_POWER || Math.abs(out) > MAX_POWER) return () => undefined;
  const [unit, scale] = [powersOfTwo[MAX_POWER - frac], powersOfTwo[MAX_POWER + out]];
  return (x) => {
    const n = Number(x);
    if (!(Math.abs(n) < 2 ** 53)) return undefined;
    const result = of({ value: n * unit, error: 0 });
    if (result === undefined) return undefined;
    const value = result.value * scale;
    if (!(Math.abs(value) < 2 ** 40)) return undefined;
    // What the sums here are rounded by, and bounds before.
    const error = result.error * scale * (1 + 2 ** -20) + (Math.abs(value) + 1) * 2 ** -50;
    const lo = Math.floor(value - error + 0.5);
    return lo === Math.floor(value + error + 0.5) ? BigInt(lo) : undefined;
  };
}
