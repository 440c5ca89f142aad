/**
 * Values of a table's function, fast: in doubles (`doubles.ts`), then intervals of bigints at two precisions, straight from the expression. What they do
 * not decide (ties, poles) is left to `real.ts`, which decides it exactly; both give the one correctly rounded value.
 */
import type { RealExpression } from '../../ir/tensor/program.ts';
import { floorDiv } from '../../ir/numbers/rational.ts';
import type { FixedInterval } from '../../ir/numbers/elementary.ts';
import { applyInterval, NotReal } from '../../ir/numbers/real.ts';
import { doubleTabulator } from './doubles.ts';

type Bound = (x: FixedInterval) => FixedInterval | undefined;

/** Bits beyond those of the result, first and second try: the first decides all but one in 2^18. */
const EXTRA = [20, 64] as const;

/** floor(f(x / 2^frac) * 2^out + 1/2) for integers x. */
export interface Tabulator {
  /** Of x from `first` on, into `results`: NaN where `slowly` has to say. */
  quickly(first: bigint, results: Float64Array): void;
  /** Undefined where that is not decided here. */
  slowly(x: bigint): bigint | undefined;
}

export const tabulator = (f: RealExpression, frac: number, out: number): Tabulator => ({
  quickly: doubleTabulator(f, frac, out),
  slowly: intervalTabulator(f, frac, out),
});

/** What is slow of `tabulator`. */
export function intervalTabulator(f: RealExpression, frac: number, out: number): (x: bigint) => bigint | undefined {
  const tries = EXTRA.map((extra) => {
    const bits = Math.max(0, frac, out) + extra;
    return { bits, bound: compile(f, bits) };
  });
  return (x) => {
    for (const { bits, bound } of tries) {
      const at = x << BigInt(bits - frac);
      const interval = boundOrNothing(bound, { lo: at, hi: at });
      if (interval === undefined) return undefined;
      const shift = BigInt(bits - out);
      const half = 1n << (shift - 1n);
      const lo = (interval.lo + half) >> shift;
      if (lo === (interval.hi + half) >> shift) return lo;
    }
    return undefined;
  };
}

function boundOrNothing(bound: Bound, x: FixedInterval): FixedInterval | undefined {
  try {
    return bound(x);
  } catch (error) {
    // Told with its reason where the value is worked out exactly.
    if (error instanceof NotReal) return undefined;
    throw error;
  }
}

/** Bounds of f(x) times 2^bits for bounds of x times 2^bits. */
function compile(f: RealExpression, bits: number): Bound {
  const shift = BigInt(bits);
  switch (f.kind) {
    case 'argument':
      return (x) => x;
    case 'number': {
      const scaled = f.value.num << shift;
      const lo = floorDiv(scaled, f.value.den);
      const constant = { lo, hi: lo * f.value.den === scaled ? lo : lo + 1n };
      return () => constant;
    }
    case 'apply': {
      const of = compile(f.of, bits);
      return (x) => {
        const inner = of(x);
        return inner && applyInterval(f.function, inner, bits);
      };
    }
    case 'power':
      return compilePower(f.left, f.right, bits);
    default: {
      const [left, right] = [compile(f.left, bits), compile(f.right, bits)];
      const { kind } = f;
      return (x) => {
        const [a, b] = [left(x), right(x)];
        if (a === undefined || b === undefined) return undefined;
        if (kind === 'add') return { lo: a.lo + b.lo, hi: a.hi + b.hi };
        if (kind === 'subtract') return { lo: a.lo - b.hi, hi: a.hi - b.lo };
        return kind === 'multiply' ? multiply(a, b, shift) : divide(a, b, shift);
      };
    }
  }
}

/** Whole powers from 0 to 16 only. */
function compilePower(base: RealExpression, exponent: RealExpression, bits: number): Bound {
  const of = compile(base, bits);
  const shift = BigInt(bits);
  const times = exponent.kind === 'number' && exponent.value.den === 1n ? exponent.value.num : -1n;
  if (times < 0n || times > 16n) return () => undefined;
  return (x) => {
    const factor = of(x);
    let product: FixedInterval | undefined = { lo: 1n << shift, hi: 1n << shift };
    for (let k = 0n; k < times; k++) product = factor && product && multiply(product, factor, shift);
    return product;
  };
}

function multiply(a: FixedInterval, b: FixedInterval, shift: bigint): FixedInterval {
  // Four products at once only where a sign changes inside.
  if (a.lo === a.hi && b.lo === b.hi) {
    const product = a.lo * b.lo;
    const lo = product >> shift;
    return { lo, hi: lo << shift === product ? lo : lo + 1n };
  }
  const corners = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
  const [least, most] = corners.reduce(([l, m], c) => [c < l ? c : l, c > m ? c : m], [corners[0], corners[0]]);
  return { lo: least >> shift, hi: (most >> shift) + 1n };
}

function divide(a: FixedInterval, b: FixedInterval, shift: bigint): FixedInterval | undefined {
  if (b.lo <= 0n && b.hi >= 0n) return undefined;
  const [p, q] =
    b.lo > 0n
      ? [a, b]
      : [
          { lo: -a.hi, hi: -a.lo },
          { lo: -b.hi, hi: -b.lo },
        ];
  const lo = floorDiv(p.lo << shift, p.lo >= 0n ? q.hi : q.lo);
  const hi = floorDiv(p.hi << shift, p.hi >= 0n ? q.lo : q.hi) + 1n;
  return { lo, hi };
}
