/**
 * Proved integer ranges of polynomials, by interval arithmetic: the range of a product of entries, times the number of
 * points summed over, united over the cases that guards on the output indices distinguish.
 */
import type { Compare, Factor, IndexExpr, Range } from '../../ir/tensor/program.ts';
import { variable, variablesOf } from '../../ir/indices/expression.ts';
import { alwaysHolds, compareKey, guardVariables, isStatic } from '../../ir/indices/guards.ts';
import { constant, minus } from '../../ir/indices/normal.ts';
import { boundsOf, connected, everyPoint, remember, zero, type Bounds } from '../indices/bounds.ts';
import { factorKey, renameGuard } from './polynomial.ts';

/** A term with an integer coefficient over variable ids. */
export interface IntegerTerm {
  readonly coefficient: bigint;
  readonly reduced: readonly number[];
  readonly guards: readonly Compare[];
  readonly factors: readonly Factor[];
}

/** Guards on outputs are told apart case by case up to this many; beyond, their terms are bounded one by one. */
const MAX_CASES = 10;

const min = (...values: bigint[]): bigint => values.reduce((a, b) => (b < a ? b : a));
const max = (...values: bigint[]): bigint => values.reduce((a, b) => (b > a ? b : a));

export const addRanges = (a: Range, b: Range): Range => ({ lo: a.lo + b.lo, hi: a.hi + b.hi });

export const unite = (a: Range, b: Range): Range => ({ lo: min(a.lo, b.lo), hi: max(a.hi, b.hi) });

export function multiplyRanges(a: Range, b: Range): Range {
  const corners = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
  return { lo: min(...corners), hi: max(...corners) };
}

/** Range of x^n. */
function powerRange(r: Range, n: number): Range {
  const [a, b] = [r.lo ** BigInt(n), r.hi ** BigInt(n)];
  if (n % 2 === 1) return { lo: a, hi: b };
  return { lo: r.lo <= 0n && r.hi >= 0n ? 0n : min(a, b), hi: max(a, b) };
}

/** How many points a reduction visits, over all values of the other variables. */
function points(reduced: readonly number[], guards: readonly Compare[], bounds: Bounds): Range {
  const size = (id: number): bigint => BigInt(bounds.variable(id).hi + 1);
  // One-hot: `v == t[i]` with t an index tensor and i free of v picks one v, if every index is below v's length.
  for (const g of guards) {
    const [picked, entry] = g.left.kind === 'entry' ? [g.right, g.left] : [g.left, g.right];
    if (g.op !== '==' || picked.kind !== 'var' || entry.kind !== 'entry' || !reduced.includes(picked.var)) continue;
    if (variablesOf(entry).has(picked.var)) continue;
    const rest = guards.filter((other) => other !== g);
    const others = points(
      reduced.filter((id) => id !== picked.var),
      rest,
      bounds,
    );
    const certain =
      bounds.entry(entry.tensor).hi < Number(size(picked.var)) && !rest.some((o) => touches(o, [picked.var]));
    return certain ? others : { lo: 0n, hi: others.hi };
  }
  const statics = guards.filter(isStatic);
  const ids = new Set(reduced);
  const relevant = connected(statics, ids);
  const inGuards = guardVariables(relevant);
  const free = reduced.filter((id) => !inGuards.has(id)).reduce((n, id) => n * size(id), 1n);
  const full = reduced.reduce((n, id) => n * size(id), 1n);
  const certain = statics.length === guards.length;
  if (relevant.length === 0) return { lo: certain ? full : 0n, hi: full };

  const counted = guardedPoints(
    reduced.filter((id) => inGuards.has(id)),
    [...inGuards],
    relevant,
    bounds,
  );
  if (counted === undefined) return { lo: 0n, hi: full };
  return { lo: certain ? counted.lo * free : 0n, hi: counted.hi * free };
}

/** How many values of `reduced` satisfy guards, over all values of the other variables in them; undefined where unknown. */
function guardedPoints(
  reduced: readonly number[],
  all: readonly number[],
  guards: readonly Compare[],
  bounds: Bounds,
): Range | undefined {
  const question = reduced.map(variable);
  return remember(bounds, 'points', question, guards, () => {
    const outer = all.filter((id) => !reduced.includes(id));
    const seen = new Map<string, bigint>();
    const counted = everyPoint(all, guards, bounds, (value) => {
      const key = outer.map(value).join();
      seen.set(key, (seen.get(key) ?? 0n) + 1n);
      return true;
    });
    if (counted === undefined) return undefined;
    const cases = outer.reduce((n, id) => n * (bounds.variable(id).hi + 1), 1);
    let lo = seen.size === cases ? BigInt(Number.MAX_SAFE_INTEGER) : 0n;
    let hi = 0n;
    for (const times of seen.values()) {
      lo = min(lo, times);
      hi = max(hi, times);
    }
    return { lo, hi };
  });
}

/** The range of a term at output points where the guards on output indices hold. */
function termRange(term: IntegerTerm, rangeOf: (tensor: number) => Range, bounds: Bounds): Range {
  const occurrences = new Map<string, { range: Range; times: number }>();
  for (const f of term.factors) {
    const key = factorKey(f);
    const times = (occurrences.get(key)?.times ?? 0) + 1;
    occurrences.set(key, { range: rangeOf(f.tensor), times });
  }
  let one: Range = { lo: term.coefficient, hi: term.coefficient };
  for (const { range, times } of occurrences.values()) one = multiplyRanges(one, powerRange(range, times));
  if (term.reduced.length === 0) return one;
  const inner = term.guards.filter((g) => touches(g, term.reduced));
  return multiplyRanges(one, points(term.reduced, inner, bounds));
}

const touches = (g: Compare, ids: readonly number[]): boolean => {
  const names = guardVariables([g]);
  return ids.some((id) => names.has(id));
};

/** Bounds of every value of the sum of the terms. */
export function polynomialRange(
  terms: readonly IntegerTerm[],
  rangeOf: (tensor: number) => Range,
  bounds: Bounds,
): Range {
  const parts = terms.map((term) => ({
    range: termRange(term, rangeOf, bounds),
    cases: term.guards.filter((g) => !touches(g, term.reduced)).map(compareKey),
  }));
  const keys = [...new Set(parts.flatMap((p) => p.cases.map((c) => c.key)))];
  if (keys.length > MAX_CASES) {
    const zero: Range = { lo: 0n, hi: 0n };
    return parts.map((p) => (p.cases.length > 0 ? unite(p.range, zero) : p.range)).reduce(addRanges, zero);
  }
  let all: Range | undefined;
  for (let bits = 0; bits < 1 << keys.length; bits++) {
    const truth = (key: string): boolean => ((bits >> keys.indexOf(key)) & 1) === 1;
    let sum: Range = { lo: 0n, hi: 0n };
    for (const part of parts) if (part.cases.every((c) => truth(c.key) === c.sign)) sum = addRanges(sum, part.range);
    all = all === undefined ? sum : unite(all, sum);
  }
  return all ?? { lo: 0n, hi: 0n };
}

/** Values to try for a variable: the ends of its range, and every other variable whose values it can take. */
function witnesses(id: number, among: ReadonlySet<number>, bounds: Bounds): IndexExpr[] {
  const { hi } = bounds.variable(id);
  const others = [...among].filter((other) => other !== id && bounds.variable(other).hi <= hi);
  return [constant(0), constant(hi), ...others.map(variable)];
}

/** Whether intervals show that the guards hold everywhere with `value` for a variable. */
function alwaysHold(guards: readonly Compare[], id: number, value: IndexExpr, bounds: Bounds): boolean {
  const replace = (other: number): IndexExpr => (other === id ? value : variable(other));
  return guards.every((g) => {
    const { left, op, right } = renameGuard(g, replace);
    return alwaysHolds(op, boundsOf(minus(left, right), bounds), zero);
  });
}

/** Whether, for every value of the other variables, some point of `over` satisfies the guards; undefined where unknown. */
export function neverEmpty(over: readonly number[], guards: readonly Compare[], bounds: Bounds): boolean | undefined {
  const ids = new Set(over);
  const relevant = connected(guards, ids);
  if (relevant.length === 0) return true;
  const all = guardVariables(relevant);
  if (over.length === 1 && witnesses(over[0], all, bounds).some((e) => alwaysHold(relevant, over[0], e, bounds)))
    return true;
  const counted = guardedPoints(
    over.filter((id) => all.has(id)),
    [...all],
    relevant,
    bounds,
  );
  return counted === undefined ? undefined : counted.lo > 0n;
}
