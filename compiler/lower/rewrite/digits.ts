/**
 * Accesses that only pick binary digits: `q[t, h * 8 + j]` with j < 8, `k[s, h div 2, j]`, `x[3, v]`. The multilinear
 * extension of such a view is that of the tensor it views, at a point made of the same digits' coordinates: a claim about
 * the view is a claim about the tensor, without a sumcheck between them.
 */
import { leadsOutside } from '../../ir/gadget/digits.ts';
import { indexFunction } from '../../ir/indices/evaluate.ts';
import { foldIndex, substitution, variable, variablesOfAll } from '../../ir/indices/expression.ts';
import { guardTest, isStatic, sidesOf } from '../../ir/indices/guards.ts';
import { IndexOverflow, constant, normalised, plus, product } from '../../ir/indices/normal.ts';
import type { Compare, IndexExpr } from '../../ir/tensor/program.ts';
import type { DigitSource } from '../../ir/gadget/program.ts';

const bitsFor = (length: number): number => (length <= 1 ? 0 : 32 - Math.clz32(length - 1));

/** Guards of one variable are looked at value by value up to this length. */
const MAX_LENGTH = 1 << 12;

/**
 * Expressions that are these wherever the guards hold, with the digits that guards fix as what they are: `j - 4` is `j mod 4`
 * for 4 <= j < 8.
 */
export function inDigits(
  expressions: readonly IndexExpr[],
  guards: readonly Compare[],
  lengths: readonly number[],
): IndexExpr[] {
  const fixed = new Map<number, IndexExpr>();
  for (const v of variablesOfAll(expressions)) {
    const own = guards.filter((g) => isStatic(g) && variablesOfAll(sidesOf([g])).join() === String(v));
    const value = own.length === 0 || lengths[v] > MAX_LENGTH ? undefined : digitsWhere(v, lengths[v], own);
    if (value !== undefined) fixed.set(v, value);
  }
  const bounds = {
    variable: (id: number) => ({ lo: 0, hi: lengths[id] - 1 }),
    entry: () => ({ lo: 0, hi: 0 }),
  };
  const replace = substitution((id) => fixed.get(id) ?? variable(id), normalised(bounds));
  try {
    return fixed.size === 0 ? [...expressions] : expressions.map(replace);
  } catch (error) {
    if (error instanceof IndexOverflow) return [...expressions];
    throw error;
  }
}

/** A variable as the sum of its digits, those in one that are the same wherever guards on it hold; undefined where none is. */
function digitsWhere(v: number, length: number, guards: readonly Compare[]): IndexExpr | undefined {
  const holds = guardTest(guards, indexFunction);
  const point: number[] = [];
  let [ones, zeros] = [-1, -1];
  for (let value = 0; value < length; value++) {
    point[v] = value;
    if (!holds(point)) continue;
    ones &= value;
    zeros &= ~value;
  }
  const all = 2 ** bitsFor(length) - 1;
  // Where guards hold nowhere, both are.
  if ((ones & zeros) !== 0 || ((ones | zeros) & all) === 0) return undefined;
  let sum = constant(ones & all);
  for (let bit = 0; 2 ** bit <= all; bit++) {
    if (((ones | zeros) >> bit) % 2 !== 0) continue;
    const digit: IndexExpr = { kind: 'div', left: variable(v), by: 2 ** bit };
    sum = plus(sum, product(constant(2 ** bit), { kind: 'mod', left: digit, by: 2 }));
  }
  return sum;
}

/**
 * For each axis of the viewed tensor its digits, most significant first, or undefined if the view is not of this kind. It
 * is if every digit is a digit of a variable or known, none is used twice, and variables beyond their length (where the
 * view is 0) lead outside the viewed tensor.
 */
export function digitsOf(
  shape: readonly number[],
  of: readonly number[],
  at: readonly IndexExpr[],
): DigitSource[][] | undefined {
  const axes: DigitSource[][] = [];
  const used = new Set<string>();
  for (const [axis, e] of at.entries()) {
    const digits = lowFirst(e, shape);
    const bits = bitsFor(of[axis]);
    if (!digits || digits.slice(bits).some((d) => d !== 0)) return undefined;
    const own = Array.from({ length: bits }, (_, k) => digits[k] ?? 0);
    for (const d of own) {
      if (typeof d === 'number') continue;
      const key = `${d.variable}:${d.bit}`;
      if (used.has(key)) return undefined;
      used.add(key);
    }
    axes.push(own.reverse());
  }
  const inside = shape.every((length, v) => 2 ** bitsFor(length) === length || leadsOutside(axes, of, v, length));
  return inside ? axes : undefined;
}

type Digits = readonly DigitSource[] | undefined;

/** The digits of an index expression, least significant first, if they are digits of its variables or known. */
function lowFirst(e: IndexExpr, shape: readonly number[]): Digits {
  return foldIndex<{ readonly digits: Digits; readonly value?: number }>(e, {
    constant: (value) => ({ digits: value < 0 ? undefined : constantDigits(value), value }),
    variable: (id) => ({
      digits: Array.from({ length: bitsFor(shape[id]) }, (_, bit) => ({ variable: id, bit })),
    }),
    add: (a, b) => ({ digits: apart(a.digits, b.digits) }),
    sub: () => ({ digits: undefined }),
    mul: (a, b) => {
      const [factor, { digits }] = a.value === undefined ? [b.value, a] : [a.value, b];
      if (factor === undefined || !isPower(factor) || !digits) return { digits: undefined };
      return { digits: [...Array.from({ length: Math.log2(factor) }, () => 0 as const), ...digits] };
    },
    div: ({ digits }, by) => ({ digits: isPower(by) ? digits?.slice(Math.log2(by)) : undefined }),
    mod: ({ digits }, by) => ({ digits: isPower(by) ? digits?.slice(0, Math.log2(by)) : undefined }),
    entry: () => ({ digits: undefined }),
  }).digits;
}

/** A sum that carries nothing: no digit is in both. */
function apart(a: Digits, b: Digits): Digits {
  if (!a || !b) return undefined;
  const out: DigitSource[] = [];
  for (let k = 0; k < Math.max(a.length, b.length); k++) {
    const [x, y] = [a[k] ?? 0, b[k] ?? 0];
    if (x !== 0 && y !== 0) return undefined;
    out.push(x === 0 ? y : x);
  }
  return out;
}

const isPower = (n: number): boolean => n >= 1 && Number.isInteger(Math.log2(n));

function constantDigits(n: number): DigitSource[] {
  const out: DigitSource[] = [];
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) out.push(rest % 2 === 1 ? 1 : 0);
  return out;
}
