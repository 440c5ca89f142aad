/**
 * `round` as a gadget: which integers make y the correctly rounded value, and the lookups that leave it no other.
 *
 * Every form is stated over the integers, without a tolerance. Soundness: both sides of each equation are bounded by the
 * ranges of committed values, which are looked up, so that equality in the field is equality of integers; then
 *
 *   P          N = D y + r, 0 <= r < D                       y = floor(N / D), for a constant D
 *   P/Q        N = D y + r, r >= 0 and D - 1 - r >= 0         the same for a D that is data; D >= 1 follows
 *   sqrt(P)    B (2y - 1)^2 <= 4 A p < B (2y + 1)^2            y - 1/2 <= sqrt(A p / B) < y + 1/2
 *   P/sqrt(Q)  q B (2y - 1)^2 <= 4 A p^2 < q B (2y + 1)^2      likewise, for p >= 0; q >= 1 follows
 *
 * The left inequality of a root does not hold for y = 0, whose square is not below it: where y can be 0, a committed
 * bit z with z y = 0 stands for that case and lifts it.
 *
 * Cost for an entry: a rounding is 1 committed value and 2 leaves, its remainder's further limbs 1 and 1 each.
 */
import type { Span } from '../../../grammar/span.ts';
import { renaming } from '../../ir/indices/expression.ts';
import type { Definition, Range, Term } from '../../ir/tensor/program.ts';
import { mapTerm } from '../../ir/tensor/walk.ts';
import { divide, gcd, integerSqrt, multiply, powerOfTwo } from '../../ir/numbers/rational.ts';
import type { Builder } from '../builder.ts';
import { bitLength, constant, entry, term, times } from '../expressions.ts';
import { bounded, commitLimb, whole, type Target } from './range.ts';

export type Round = Definition & { readonly kind: 'round' };

/** `atMostZero`: whether P is shown to be at most 0 by something else, so that nothing is cut off above. */
export function lowerRound(b: Builder, d: Round, target: Target, atMostZero = false): void {
  switch (d.form) {
    case 'P':
      return lowerFloor(b, d, target, atMostZero);
    case 'P/Q':
      return lowerQuotient(b, d, target);
    case 'sqrt(P)':
      return lowerRoot(b, d, target, false);
    case 'P/sqrt(Q)':
      return lowerRoot(b, d, target, true);
  }
}

/** P times a / c, rounded, is floor(N / D) with N = (2 a P + c) / g and D = 2 c / g; an integer is itself. */
function roundedFraction(d: Round): { numerator: Term[]; divisor: bigint } {
  const { num: a, den: c } = multiply(d.p.scale, powerOfTwo(d.frac));
  if (c === 1n) return { numerator: times(d.p.terms, a), divisor: 1n };
  const g = gcd(2n * a, c);
  return { numerator: [...times(d.p.terms, (2n * a) / g), ...constant(c / g)], divisor: (2n * c) / g };
}

function lowerFloor(b: Builder, d: Round, { id, terms }: Target, atMostZero: boolean): void {
  const { numerator, divisor } = roundedFraction(d);
  const { name, shape, span } = b.tensors[id];
  const exact = b.inner(`${name} before rounding`, shape, b.rangeOf(numerator), span);
  b.evaluate(exact, numerator);
  if (d.clamp) return clampTo(b, { id, terms }, exact, numerator, divisor, d.clamp, atMostZero);
  b.hint(id, { kind: 'floor', of: exact, by: { constant: divisor } });
  remainder(b, name, span, { id, terms }, exact, numerator, divisor);
}

/** States 0 <= numerator - divisor * (the target and what is added to it) < divisor. */
function remainder(
  b: Builder,
  name: string,
  span: Span,
  target: { readonly id: number; readonly terms: readonly Term[]; readonly also?: readonly number[] },
  exact: number,
  numerator: readonly Term[],
  divisor: bigint,
  also: readonly Term[] = [],
): void {
  const { shape } = b.tensors[exact];
  const proved = [...numerator, ...times([...target.terms, ...also], -divisor)];
  if (divisor === 1n) return b.zero(`${name} is exact`, shape, proved, span);
  const bits = bitLength(divisor - 1n);
  const r = b.inner(`${name} remainder`, shape, { lo: 0n, hi: divisor - 1n }, span);
  b.evaluate(r, [
    term(1n, entry(exact, shape.length)),
    term(-divisor, entry(target.id, shape.length)),
    ...times(also, -divisor),
  ]);
  bounded(b, r, proved, bits);
  if (2n ** BigInt(bits) === divisor) return;
  const rest = b.inner(`${name} remainder complement`, shape, { lo: 0n, hi: divisor - 1n }, span);
  b.evaluate(rest, [...constant(divisor - 1n), term(-1n, entry(r, shape.length))]);
  bounded(b, rest, [...constant(divisor - 1n), ...times(proved, -1n)], bits);
}

/**
 * y = floor(N / D) between lo and hi. What is cut off is committed: floor(N / D) = y + above - below with both at least
 * 0, above (hi - y) = 0 and below (y - lo) = 0. With lo <= y <= hi that leaves one y: above > 0 only at hi, below > 0
 * only at lo. Both products are at least 0, so that one equation says that both are 0.
 */
function clampTo(
  b: Builder,
  { id, terms }: Target,
  exact: number,
  numerator: readonly Term[],
  divisor: bigint,
  clamp: Range,
  atMostZero = false,
): void {
  const { name, shape, span } = b.tensors[id];
  const wide = b.rangeOf(numerator);
  // A number that is at most 0 rounds to 0 at most.
  const range = atMostZero ? { lo: wide.lo, hi: divisor - 1n } : wide;
  const floor = b.inner(`${name} before saturation`, shape, floorRange(range, divisor), span);
  b.hint(floor, { kind: 'floor', of: exact, by: { constant: divisor } });
  b.hint(id, { kind: 'clamp', of: floor, lo: clamp.lo, hi: clamp.hi });
  const { lo, hi } = b.tensors[floor].range;
  const above = excess(b, `${name} above`, floor, 1, clamp.hi, hi - clamp.hi);
  const below = excess(b, `${name} below`, floor, -1, clamp.lo, clamp.lo - lo);
  const cut = [...above, ...times(below, -1n)];
  remainder(b, name, span, { id, terms }, exact, numerator, divisor, cut);
  const own = entry(id, shape.length);
  if (cut.length > 0)
    b.zero(
      `${name} saturates at an end`,
      shape,
      [...times(above, clamp.hi), ...times(above, -1n, own), ...times(below, 1n, own), ...times(below, -clamp.lo)],
      span,
    );
}

const floorRange = ({ lo, hi }: Range, by: bigint): Range => ({ lo: floorOf(lo, by), hi: floorOf(hi, by) });
const floorOf = (a: bigint, by: bigint): bigint => (a >= 0n ? a / by : -((-a + by - 1n) / by));

/** Committed limbs of max(0, sign * (of - from)), at most `most`, each looked up: their sum as terms. */
function excess(b: Builder, name: string, of: number, sign: 1 | -1, from: bigint, most: bigint): Term[] {
  if (most <= 0n) return [];
  const { shape, span } = b.tensors[of];
  const out: Term[] = [];
  for (const l of b.limbs(bitLength(most), shape, true)) {
    const hint = { kind: 'limb', of, from, sign, shift: l.shift, bits: l.width } as const;
    const limb = commitLimb(b, name, shape, l, span, hint);
    out.push(term(2n ** BigInt(l.shift), entry(limb, shape.length)));
  }
  return out;
}

/** A tensor's entries between two integers, as a new committed tensor. */
export function clampTensor(b: Builder, of: number, clamp: Range): number {
  const { name, shape, span } = b.tensors[of];
  const id = b.witness(`${name} saturated`, shape, clamp, span);
  clampTo(b, whole(b, id), of, whole(b, of).terms, 1n, clamp);
  return id;
}

function lowerQuotient(b: Builder, d: Round, { id, terms }: Target): void {
  if (!d.q) throw new Error('internal error: a quotient without a divisor');
  const { num: a, den: c } = multiply(divide(d.p.scale, d.q.scale), powerOfTwo(d.frac));
  const g = gcd(2n * a, c);
  const { name, shape, span } = b.tensors[id];
  const numerator = [...times(d.p.terms, (2n * a) / g), ...times(d.q.terms, c / g)];
  const divisor = times(d.q.terms, (2n * c) / g);
  const top = b.inner(`${name} numerator`, shape, b.rangeOf(numerator), span);
  const bottom = b.inner(`${name} divisor`, shape, b.rangeOf(divisor), span);
  b.evaluate(top, numerator);
  b.evaluate(bottom, divisor);
  b.hint(id, { kind: 'floor', of: top, by: { tensor: bottom } });
  const most = b.tensors[bottom].range.hi - 1n;
  const rank = shape.length;
  const product = terms.flatMap((t) => times(divisor, -t.coefficient, ...t.factors));
  const rest = b.inner(`${name} remainder`, shape, { lo: 0n, hi: most }, span);
  b.evaluate(rest, [term(1n, entry(top, rank)), term(-1n, entry(bottom, rank), entry(id, rank))]);
  const proved = [...numerator, ...product];
  bounded(b, rest, proved, bitLength(most));
  const complement = b.inner(`${name} remainder complement`, shape, { lo: 0n, hi: most }, span);
  b.evaluate(complement, [term(1n, entry(bottom, rank)), term(-1n), term(-1n, entry(rest, rank))]);
  bounded(b, complement, [...divisor, term(-1n), ...times(proved, -1n)], bitLength(most));
}

/**
 * sqrt(A p / B), or p / sqrt(q) as sqrt(A p^2 / (B q)): with X the numerator under the root and Y its denominator,
 * low = 4 X - Y (2y - 1)^2 >= 0 and high = Y (2y + 1)^2 - 1 - 4 X >= 0.
 */
function lowerRoot(b: Builder, d: Round, { id, terms }: Target, reciprocal: boolean): void {
  const { name, shape, span, range } = b.tensors[id];
  const rank = shape.length;
  const square = reciprocal && d.q ? divide(multiply(d.p.scale, d.p.scale), d.q.scale) : d.p.scale;
  const { num: a, den: c } = multiply(square, powerOfTwo(2 * d.frac));
  const under = reciprocal ? squareOf(d.p.terms, rank) : d.p.terms;
  const x = times(under, a);
  const y = reciprocal && d.q ? times(d.q.terms, c) : constant(c);
  const top = b.inner(`${name} under the root`, shape, b.rangeOf(x), span);
  b.evaluate(top, x);
  let bottom: number | undefined;
  if (reciprocal) {
    bottom = b.inner(`${name} divisor under the root`, shape, b.rangeOf(y), span);
    b.evaluate(bottom, y);
  }
  b.hint(id, { kind: 'root', of: top, by: bottom === undefined ? { constant: c } : { tensor: bottom } });

  const yRange = b.rangeOf(y);
  const canBeZero = range.lo <= 0n;
  // Y y, Y y^2: the target's own terms are one, so that products of them stay small.
  const withY = (k: 1 | 2): Term[] =>
    k === 1
      ? terms.flatMap((t) => times(y, t.coefficient, ...t.factors))
      : terms.flatMap((s) => terms.flatMap((t) => times(y, s.coefficient * t.coefficient, ...s.factors, ...t.factors)));
  const [linear, quadratic] = [withY(1), withY(2)];
  const [evaluated, scale] = bottom === undefined ? [[], c] : [[entry(bottom, rank)], 1n];
  const own = entry(id, rank);
  const hint = { kind: 'isZero', of: id } as const;
  const z = canBeZero ? b.witness(`${name} is 0`, shape, { lo: 0n, hi: 1n }, span, hint) : undefined;
  if (z !== undefined) {
    b.boolean(z);
    b.zero(
      `${name} is 0 where it says so`,
      shape,
      terms.flatMap((t) => [{ ...t, factors: [...t.factors, entry(z, rank)] }]),
      span,
    );
  }
  const lift = z === undefined ? [] : [entry(z, rank)];
  // 4 X - Y (4 y^2 - 4 y + 1) + z Y, and Y (4 y^2 + 4 y + 1) - 1 - 4 X.
  const low = [
    ...times(x, 4n),
    ...times(quadratic, -4n),
    ...times(linear, 4n),
    ...times(y, -1n),
    ...(z === undefined ? [] : times(y, 1n, ...lift)),
  ];
  const high = [...times(quadratic, 4n), ...times(linear, 4n), ...y, term(-1n), ...times(x, -4n)];
  const quick = (sign: bigint): Term[] => [
    term(sign * 4n, entry(top, rank)),
    term(-sign * 4n * scale, ...evaluated, own, own),
    term(4n * scale, ...evaluated, own),
    term(-sign * scale, ...evaluated),
  ];
  const most = rootWidth(b.tensors[top].range.hi, yRange.hi, range.hi);
  const lower = b.inner(`${name} above its lower end`, shape, { lo: 0n, hi: most }, span);
  b.evaluate(lower, [...quick(1n), ...(z === undefined ? [] : [term(scale, ...evaluated, ...lift)])]);
  bounded(b, lower, low, bitLength(most));
  const upper = b.inner(`${name} below its upper end`, shape, { lo: 0n, hi: most }, span);
  b.evaluate(upper, [...quick(-1n), term(-1n)]);
  bounded(b, upper, high, bitLength(most));
}

/**
 * Both distances add up to 8 Y y - 1, and y is about sqrt(X / Y): below 8 sqrt(X Y) + 4 Y where y >= 1 (y^2 Y <= 4 X) and
 * below 4 X + 2 Y, at most 3 Y, where it is 0.
 */
function rootWidth(x: bigint, y: bigint, most: bigint): bigint {
  const byRoot = 16n * (integerSqrt(x * y) + 1n) + 4n * y;
  const byRange = 8n * y * most + 4n * y;
  return byRoot < byRange ? byRoot : byRange;
}

/** The square of a polynomial of one term, or of a constant. */
function squareOf(terms: readonly Term[], outputs: number): Term[] {
  return terms.flatMap((s) =>
    terms.map((t): Term => ({
      coefficient: s.coefficient * t.coefficient,
      reduced: [...s.reduced, ...t.reduced],
      guards: [...s.guards, ...shifted(t, outputs, s.reduced.length).guards],
      factors: [...s.factors, ...shifted(t, outputs, s.reduced.length).factors],
    })),
  );
}

/** The term with its reduced variables moved behind `by` others. */
function shifted(t: Term, outputs: number, by: number): Term {
  if (by === 0 || t.reduced.length === 0) return t;
  return mapTerm(
    t,
    renaming((v) => (v < outputs ? v : v + by)),
  );
}
