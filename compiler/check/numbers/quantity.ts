/**
 * Arithmetic on what `round` may be given: P, P/Q, sqrt(P), P/sqrt(Q). Fractions combine over a common denominator;
 * roots combine only where the result has one of the four forms, otherwise undefined.
 */
import type { Compare } from '../../ir/tensor/program.ts';
import { ONE, ZERO, compare, divide, integerSqrt, multiply, rational } from '../../ir/numbers/rational.ts';
import type { Rational } from '../../ir/tensor/program.ts';
import { opposite } from '../../ir/indices/guards.ts';
import { addPoly, constantPoly, constantValue, guardPoly, multiplyPoly, negatePoly, scalePoly } from './polynomial.ts';
import type { Poly, Quantity } from './polynomial.ts';

type Copy = (id: number) => number;

const UNIT: Poly = constantPoly(ONE);

export const constantQuantity = (value: Rational): Quantity => ({ p: constantPoly(value) });

/** The rational a quantity is, if it is one. */
export function quantityValue(a: Quantity): Rational | undefined {
  const p = constantValue(a.p);
  const q = a.q === undefined ? ONE : constantValue(a.q);
  if (p === undefined || q === undefined) return undefined;
  if (a.root === undefined) return q.num === 0n ? undefined : divide(p, q);
  if (a.root === 'p') return exactRoot(p);
  const root = exactRoot(q);
  return root === undefined || root.num === 0n ? undefined : divide(p, root);
}

/** Whether it is one number, rational or not. */
export const isConstant = (a: Quantity): boolean =>
  constantValue(a.p) !== undefined && (a.q === undefined || constantValue(a.q) !== undefined);

/** The square root of a square. */
export function exactRoot(a: Rational): Rational | undefined {
  if (a.num < 0n) return undefined;
  const [num, den] = [integerSqrt(a.num), integerSqrt(a.den)];
  return num * num === a.num && den * den === a.den ? rational(num, den) : undefined;
}

/** A quantity that is a rational becomes one. */
function simplify(a: Quantity): Quantity {
  if (a.q === undefined && a.root === undefined) return a;
  const value = quantityValue(a);
  return value === undefined ? a : constantQuantity(value);
}

export const negateQuantity = (a: Quantity): Quantity | undefined =>
  a.root === 'p' ? undefined : { ...a, p: negatePoly(a.p) };

export function addQuantities(a: Quantity, b: Quantity, copy: Copy): Quantity | undefined {
  if (a.p.length === 0) return b;
  if (b.p.length === 0) return a;
  if (a.root !== undefined || b.root !== undefined) return undefined;
  if (a.q === undefined && b.q === undefined) return { p: addPoly(a.p, b.p) };
  const [q, r] = [a.q ?? UNIT, b.q ?? UNIT];
  return { p: addPoly(multiplyPoly(a.p, r, copy), multiplyPoly(b.p, q, copy)), q: multiplyPoly(q, r, copy) };
}

export function multiplyQuantities(a: Quantity, b: Quantity, copy: Copy): Quantity | undefined {
  if (a.root === undefined && b.root === undefined) {
    const p = multiplyPoly(a.p, b.p, copy);
    if (a.q === undefined && b.q === undefined) return { p };
    return { p, q: multiplyPoly(a.q ?? UNIT, b.q ?? UNIT, copy) };
  }
  if (a.root !== undefined && b.root !== undefined) return undefined;
  const [plain, rooted] = a.root === undefined ? [a, b] : [b, a];
  const value = quantityValue(plain);
  if (rooted.root === 'p') {
    // c * sqrt(P) = sqrt(c^2 P) for c >= 0.
    if (value === undefined || compare(value, ZERO) < 0) return undefined;
    return simplify({ p: scalePoly(rooted.p, multiply(value, value)), root: 'p' });
  }
  if (plain.q !== undefined) return undefined;
  return simplify({ ...rooted, p: multiplyPoly(plain.p, rooted.p, copy) });
}

/** `a / b`; the caller has refused a `b` that is 0. */
export function divideQuantities(a: Quantity, b: Quantity, copy: Copy): Quantity | undefined {
  const value = b.root === undefined ? quantityValue(b) : undefined;
  if (value !== undefined) return multiplyQuantities(a, constantQuantity(divide(ONE, value)), copy);
  if (b.root === 'p')
    return a.root !== undefined || a.q !== undefined ? undefined : simplify({ p: a.p, q: b.p, root: 'q' });
  if (b.root === 'q' || a.root !== undefined) return undefined;
  const p = b.q === undefined ? a.p : multiplyPoly(a.p, b.q, copy);
  return simplify({ p, q: a.q === undefined ? b.p : multiplyPoly(a.q, b.p, copy) });
}

export function rootQuantity(a: Quantity): Quantity | undefined {
  if (a.root !== undefined || a.q !== undefined) return undefined;
  return simplify({ p: a.p, root: 'p' });
}

/** Sets of guards that together say where the conjunction of `guards` fails; they exclude each other. */
export const failing = (guards: readonly Compare[]): Compare[][] =>
  guards.map((g, k) => [...guards.slice(0, k), opposite(g)]);

/** `then` where the guards hold; `otherwise` has the quantity for each of `failing(guards)`. */
export function chooseQuantity(
  guards: readonly Compare[],
  then: Quantity,
  otherwise: readonly Quantity[],
): Quantity | undefined {
  const cases = [{ guards, value: then }, ...failing(guards).map((g, k) => ({ guards: g, value: otherwise[k] }))];
  const roots = new Set(cases.map((c) => c.value?.root).filter((r) => r !== undefined));
  if (roots.size > 1) return undefined;
  const [root] = roots;
  const fraction = root === 'q' || cases.some((c) => c.value?.q !== undefined);
  let p: Poly = [];
  let q: Poly = [];
  for (const { guards: where, value } of cases) {
    if (value === undefined) return undefined;
    let numerator = value.p;
    if (root !== undefined && value.root === undefined) {
      if (value.q !== undefined) return undefined;
      if (root === 'p') {
        const c = quantityValue(value);
        if (c === undefined || compare(c, ZERO) < 0) return undefined;
        numerator = constantPoly(multiply(c, c));
      }
    }
    p = addPoly(p, guardPoly(numerator, where));
    q = addPoly(q, guardPoly(value.q ?? UNIT, where));
  }
  return { p, ...(fraction ? { q } : {}), ...(root === undefined ? {} : { root }) };
}
