/**
 * Values of a table's function in double precision, each with a bound of its error: what decides nearly all entries of a table. Only
 * +, -, * and / are used, which IEEE 754 fixes to the bit, and functions made of them, so that every machine decides the same ones.
 * Each operation goes through a stretch of entries at once, in arrays: a command that checks a model runs this once, before any of it is optimised.
 */
import type { Rational, RealExpression } from '../../ir/tensor/program.ts';

/** Entry by entry, the real number is within `error` of `value`; where nothing is known, `error` is infinite. */
interface Doubles {
  readonly value: Float64Array;
  readonly error: Float64Array;
}

/** Of the first `count` entries. The result is the function's own and lasts until it is called again. */
type DoubleFunction = (x: Doubles, count: number) => Doubles;

/** Entries that are worked out together. */
const STRETCH = 1024;
const stretch = (): Doubles => ({ value: new Float64Array(STRETCH), error: new Float64Array(STRETCH) });

/** Twice what rounding to nearest is off by, at most, of 1: the other half is for bounds, which are rounded, too. */
const UNIT = 2 ** -52;
/** Of values between these, products and quotients neither overflow nor lose digits. */
const LARGEST = 2 ** 400;
const SMALLEST = 2 ** -400;

/** Rounds what one operation gave, in place; its rounding is not in `error` yet. What was unknown stays so: no comparison with NaN holds. */
function round({ value, error }: Doubles, count: number): void {
  for (let i = 0; i < count; i++) {
    const size = Math.abs(value[i]);
    if (!(size < LARGEST && error[i] < LARGEST)) {
      value[i] = 0;
      error[i] = Infinity;
    } else if (size < SMALLEST) {
      value[i] = 0;
      error[i] += 2 * SMALLEST;
    } else error[i] += size * UNIT;
  }
}

/** `to` may be `a` or `b`. */
type Operation = (to: Doubles, a: Doubles, b: Doubles, count: number) => void;

const add: Operation = (to, a, b, count) => {
  for (let i = 0; i < count; i++) {
    to.value[i] = a.value[i] + b.value[i];
    to.error[i] = a.error[i] + b.error[i];
  }
};

const subtract: Operation = (to, a, b, count) => {
  for (let i = 0; i < count; i++) {
    to.value[i] = a.value[i] - b.value[i];
    to.error[i] = a.error[i] + b.error[i];
  }
};

const multiply: Operation = (to, a, b, count) => {
  for (let i = 0; i < count; i++) {
    const x = a.value[i];
    const y = b.value[i];
    to.value[i] = x * y;
    to.error[i] = Math.abs(x) * b.error[i] + Math.abs(y) * a.error[i] + a.error[i] * b.error[i];
  }
};

const divide: Operation = (to, a, b, count) => {
  for (let i = 0; i < count; i++) {
    const y = b.value[i];
    const least = Math.abs(y) - b.error[i];
    const known = least > Math.abs(y) / 2 && least > SMALLEST;
    const value = known ? a.value[i] / y : 0;
    to.error[i] = known ? (a.error[i] + Math.abs(value) * b.error[i]) / least : Infinity;
    to.value[i] = value;
  }
};

const OPERATIONS = { add, subtract, multiply, divide };

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
  // Counted: iterators are slow until they are optimised, and most tables are done before.
  for (let k = 0; k < INVERSE_FACTORIALS.length; k++) sum = sum * r + INVERSE_FACTORIALS[k];
  return sum * powersOfTwo[whole + MAX_POWER];
}

/** Entry i of a function of what is within `error` of `value`. */
type Apply = (to: Doubles, i: number, value: number, error: number) => void;

function set(to: Doubles, i: number, value: number, error: number): void {
  to.value[i] = value;
  to.error[i] = error;
}

const setUnknown = (to: Doubles, i: number): void => set(to, i, 0, Infinity);

const exp: Apply = (to, i, value, error) => {
  if (!(value <= 250 && error < 2 ** -10)) return setUnknown(to, i);
  if (value < -250) return set(to, i, 0, 2 ** -360);
  const power = exponential(value);
  set(to, i, power, power * (2 ** -47 + 2 * error));
};

const tanh: Apply = (to, i, value, error) => {
  if (!(error < 2 ** -10)) return setUnknown(to, i);
  // 1 - tanh(100) is below 2^-287.
  if (Math.abs(value) > 100) return set(to, i, value < 0 ? -1 : 1, 2 ** -45);
  const fall = exponential(-2 * Math.abs(value));
  const result = (1 - fall) / (1 + fall);
  set(to, i, value < 0 ? -result : result, error + 2 ** -45);
};

/** ln(m 2^k) = k ln 2 + 2 atanh((m - 1) / (m + 1)), m in [0.7, 1.5). */
const log: Apply = (to, i, value, error) => {
  if (!(value > SMALLEST && error < value / 4)) return setUnknown(to, i);
  let m = value;
  let k = 0;
  for (; m >= 1.5; k++) m /= 2;
  for (; m < 0.75; k--) m *= 2;
  const s = (m - 1) / (m + 1);
  const square = s * s;
  let sum = 0;
  for (let n = 31; n > 0; n -= 2) sum = sum * square + 1 / n;
  set(to, i, k * LN2_HIGH + (k * LN2_LOW + 2 * s * sum), (1 + Math.abs(k)) * 2 ** -48 + (2 * error) / value);
};

/** 2 / sqrt(pi). */
const ERF_FACTOR = 1.128_379_167_095_512_6;

/** The series of `elementary.ts`: its terms are all positive, so that errors only add up. */
const erf: Apply = (to, i, value, error) => {
  if (!(error < 2 ** -10)) return setUnknown(to, i);
  const x = Math.abs(value);
  const sign = value < 0 ? -1 : 1;
  // 1 - erf(6) is below 2^-55.
  if (x > 6) return set(to, i, sign, 2 ** -45 + 2 * error);
  let term = x;
  let sum = x;
  for (let k = 3; term > sum * UNIT; k += 2) {
    term = (term * 2 * x * x) / k;
    sum += term;
  }
  set(to, i, sign * ERF_FACTOR * exponential(-x * x) * sum, 2 ** -40 + 2 * error);
};

/** The distance of s from the root is that of s^2 from x, over s plus the root: no word of `Math.sqrt` is taken for it. */
const sqrt: Apply = (to, i, value, error) => {
  if (!(value > SMALLEST && error < value / 4)) return setUnknown(to, i);
  const root = Math.sqrt(value);
  set(to, i, root, (Math.abs(root * root - value) + value * 2 * UNIT + 2 * error) / root);
};

const FUNCTIONS: Readonly<Partial<Record<string, Apply>>> = { exp, log, erf, tanh, sqrt };

/** Within 2^-52 of itself; undefined where its parts are no doubles. */
function doubleOf({ num, den }: Rational): number | undefined {
  const [n, d] = [Number(num), Number(den)];
  return Math.abs(n) < 2 ** 53 && d < 2 ** 53 ? n / d : undefined;
}

/** f, or undefined where it has a part that is left to bigints. */
function doubles(f: RealExpression): DoubleFunction | undefined {
  if (f.kind === 'argument') return (x) => x;
  const to = stretch();
  switch (f.kind) {
    case 'number': {
      const value = doubleOf(f.value);
      if (value === undefined) return undefined;
      to.value.fill(value);
      round(to, STRETCH);
      return () => to;
    }
    case 'apply': {
      const [apply, of] = [FUNCTIONS[f.function], doubles(f.of)];
      if (of === undefined || apply === undefined) return undefined;
      return (x, count) => {
        const { value, error } = of(x, count);
        for (let i = 0; i < count; i++) apply(to, i, value[i], error[i]);
        return to;
      };
    }
    case 'power': {
      const of = doubles(f.left);
      const times = f.right.kind === 'number' && f.right.value.den === 1n ? Number(f.right.value.num) : -1;
      if (of === undefined || times < 0 || times > 16) return undefined;
      return (x, count) => {
        const factor = of(x, count);
        to.value.fill(1);
        to.error.fill(0);
        for (let k = 0; k < times; k++) {
          multiply(to, to, factor, count);
          round(to, count);
        }
        return to;
      };
    }
    default: {
      const [left, right] = [doubles(f.left), doubles(f.right)];
      if (left === undefined || right === undefined) return undefined;
      const operation = OPERATIONS[f.kind];
      return (x, count) => {
        operation(to, left(x, count), right(x, count), count);
        round(to, count);
        return to;
      };
    }
  }
}

/** floor(f(x / 2^frac) * 2^out + 1/2) for each integer x from `first` on, into `results`: NaN where doubles do not decide it. */
export function doubleTabulator(
  f: RealExpression,
  frac: number,
  out: number,
): (first: bigint, results: Float64Array) => void {
  const of = doubles(f);
  if (of === undefined || Math.abs(frac) > MAX_POWER || Math.abs(out) > MAX_POWER)
    return (_, results) => void results.fill(NaN);
  const [unit, scale] = [powersOfTwo[MAX_POWER - frac], powersOfTwo[MAX_POWER + out]];
  const x = stretch();
  return (first, results) => {
    const start = Number(first);
    if (!(Math.abs(start) + results.length < 2 ** 53)) {
      results.fill(NaN);
      return;
    }
    for (let done = 0; done < results.length; done += STRETCH) {
      const count = Math.min(STRETCH, results.length - done);
      for (let i = 0; i < count; i++) x.value[i] = (start + done + i) * unit;
      decide(of(x, count), scale, results.subarray(done, done + count));
    }
  };
}

/** The integers that real numbers times `scale` round to, where they can be no others; else NaN. */
function decide(real: Doubles, scale: number, results: Float64Array): void {
  for (let i = 0; i < results.length; i++) {
    const value = real.value[i] * scale;
    // What the sums here are rounded by, and bounds before.
    const error = real.error[i] * scale * (1 + 2 ** -20) + (Math.abs(value) + 1) * 2 ** -50;
    const lo = Math.floor(value - error + 0.5);
    results[i] = Math.abs(value) < 2 ** 40 && lo === Math.floor(value + error + 0.5) ? lo : NaN;
  }
}
