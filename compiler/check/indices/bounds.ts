/**
 * Proofs about index arithmetic under guards: that an access lies inside its tensor, that a guard is not constant, how
 * many points satisfy guards. Intervals first, then one guard as a lemma, then every point, up to a stated number.
 */
import type { Compare, IndexExpr } from '../../ir/tensor/program.ts';
import { indexFunctions } from '../../ir/indices/evaluate.ts';
import { indexKey, readsData, renaming, variable, variablesOf } from '../../ir/indices/expression.ts';
import { alwaysHolds, guardTest, guardVariables, isStatic, neverHolds } from '../../ir/indices/guards.ts';
import { interval, type IndexBounds, type Interval } from '../../ir/indices/interval.ts';
import { constant, minus, product, safe, variableFactors } from '../../ir/indices/normal.ts';

/**
 * What a variable or the entry of an index tensor can be. Numbers of variables are the checker's here, unique in a program;
 * an equation renumbers them when it is made.
 */
export interface Bounds extends IndexBounds {
  /** What exhaustive checks have found, by the shape of the question, and how many points they may still visit. */
  readonly proofs: { readonly known: Map<string, unknown>; points: number };
}

export const zero: Interval = { lo: 0, hi: 0 };

/** @throws IndexOverflow */
export const boundsOf = (e: IndexExpr, bounds: IndexBounds): Interval => interval(e, bounds, safe);

/** What variables are at a point. */
type Valuation = (id: number) => number;

const compile = indexFunctions<Valuation>({ variable: (id) => (value) => value(id) });

/** How many points one exhaustive check may visit; beyond it the checker says that it could not prove the access. */
const MAX_POINTS = 1 << 20;
/** How many points all of them together may visit in one program. */
export const ALL_POINTS = 1 << 26;

/**
 * The answer to a question about expressions and guards, worked out once for all equations that ask the same one: layers
 * of a model differ in their variables, not in these.
 */
export function remember<T>(
  bounds: Bounds,
  question: string,
  expressions: readonly IndexExpr[],
  guards: readonly Compare[],
  answer: () => T,
): T {
  const order = new Set<number>();
  for (const e of expressions) variablesOf(e, order);
  const ids = [...guardVariables(guards, order)];
  const renamed = renaming((id) => ids.indexOf(id));
  const rename = (e: IndexExpr): string => indexKey(renamed(e));
  const sizes = ids.map((id) => `${bounds.variable(id).lo}..${bounds.variable(id).hi}`);
  const key = [
    question,
    sizes.join(),
    expressions.map(rename).join(),
    guards.map((g) => `${rename(g.left)} ${g.op} ${rename(g.right)}`).join(),
  ].join('|');
  const { known } = bounds.proofs;
  if (!known.has(key)) known.set(key, answer());
  return known.get(key) as T;
}

/** The static guards as expressions that are at least 0. */
function nonNegative(guards: readonly Compare[]): IndexExpr[] {
  const forms: IndexExpr[] = [];
  for (const g of guards) {
    if (!isStatic(g)) continue;
    const up = minus(g.right, g.left);
    const down = minus(g.left, g.right);
    if (g.op === '<=' || g.op === '==') forms.push(up);
    if (g.op === '>=' || g.op === '==') forms.push(down);
    if (g.op === '<') forms.push(minus(up, constant(1)));
    if (g.op === '>') forms.push(minus(down, constant(1)));
  }
  return forms;
}

/** Bounds of variables narrowed by guards that are linear in them. */
export function narrow(bounds: Bounds, guards: readonly Compare[]): Bounds {
  const narrowed = new Map<number, Interval>();
  const inner: Bounds = {
    variable: (id) => narrowed.get(id) ?? bounds.variable(id),
    entry: (tensor) => bounds.entry(tensor),
    proofs: bounds.proofs,
  };
  const forms = nonNegative(guards);
  // Three rounds reach every chain of guards that people write; the exhaustive check covers the rest.
  for (let round = 0; round < 3; round++)
    for (const form of forms)
      for (const { id, factor } of variableFactors(form)) {
        const rest = minus(form, product(constant(factor), variable(id)));
        const most = boundsOf(rest, inner).hi;
        const { lo, hi } = inner.variable(id);
        narrowed.set(
          id,
          factor > 0
            ? { lo: Math.max(lo, Math.ceil(-most / factor)), hi }
            : { lo, hi: Math.min(hi, Math.floor(most / -factor)) },
        );
      }
  return inner;
}

/** The guards that speak of any of these variables, and of variables those speak of, and so on. Adds them to `among`. */
export function connected(guards: readonly Compare[], among: Set<number>): Compare[] {
  const left = new Set(guards);
  const found: Compare[] = [];
  for (let grown = true; grown;) {
    grown = false;
    for (const g of left) {
      const names = guardVariables([g]);
      if (![...names].some((id) => among.has(id))) continue;
      for (const id of names) among.add(id);
      left.delete(g);
      found.push(g);
      grown = true;
    }
  }
  return guards.filter((g) => found.includes(g));
}

/**
 * Calls `visit` at every point of `ids` where the static guards hold, until it returns false; undefined where there are
 * more than `MAX_POINTS` points, else whether all visits returned true.
 */
export function everyPoint(
  ids: readonly number[],
  guards: readonly Compare[],
  bounds: Bounds,
  visit: (value: Valuation) => boolean,
): boolean | undefined {
  const inner = narrow(bounds, guards);
  const ranges = ids.map((id) => inner.variable(id));
  if (ranges.some((r) => r.hi < r.lo)) return true;
  const points = ranges.reduce((n, r) => n * (r.hi - r.lo + 1), 1);
  if (points > MAX_POINTS || points > bounds.proofs.points) return undefined;
  const holds = guardTest(guards.filter(isStatic), compile);
  const point = new Map(ids.map((id, k) => [id, ranges[k].lo]));
  const value: Valuation = (id) => point.get(id) ?? 0;
  for (;;) {
    bounds.proofs.points--;
    if (holds(value) && !visit(value)) return false;
    let k = ids.length - 1;
    while (k >= 0 && value(ids[k]) === ranges[k].hi) {
      point.set(ids[k], ranges[k].lo);
      k--;
    }
    if (k < 0) return true;
    point.set(ids[k], value(ids[k]) + 1);
  }
}

export type Inside =
  | { readonly kind: 'inside' }
  /** A point at which the expression leaves [0, length), and its value there. */
  | { readonly kind: 'outside'; readonly value: number; readonly at: ReadonlyMap<number, number> }
  | { readonly kind: 'unknown' };

/** Whether `e` is in [0, length) wherever the guards hold. */
export function proveInside(e: IndexExpr, length: number, guards: readonly Compare[], bounds: Bounds): Inside {
  const inner = narrow(bounds, guards);
  const range = boundsOf(e, inner);
  const lemmas = nonNegative(guards);
  const least = (form: IndexExpr): boolean =>
    boundsOf(form, inner).lo >= 0 || lemmas.some((lemma) => boundsOf(minus(form, lemma), inner).lo >= 0);
  const low = range.lo >= 0 || least(e);
  const high = range.hi < length || least(minus(constant(length - 1), e));
  if (low && high) return { kind: 'inside' };
  if (readsData(e)) return { kind: 'outside', value: low ? range.hi : range.lo, at: new Map() };

  const ids = variablesOf(e);
  const relevant = connected(guards, ids);
  let failure: Inside = { kind: 'unknown' };
  const position = compile(e);
  const search = (): boolean | undefined =>
    everyPoint([...ids], relevant, bounds, (value) => {
      const at = position(value);
      if (at >= 0 && at < length) return true;
      failure = { kind: 'outside', value: at, at: new Map([...variablesOf(e)].map((id) => [id, value(id)])) };
      return false;
    });
  const all = remember(bounds, `inside ${length}`, [e], relevant, search);
  if (all === true) return { kind: 'inside' };
  // The answer may be remembered from an equation with other variables: the example has to be found again.
  if (all === false && failure.kind === 'unknown') search();
  return failure;
}

/** Whether a static comparison is always true, always false, or neither over its variables; undefined where unknown. */
export function constantGuard(g: Compare, bounds: Bounds): boolean | 'varies' | undefined {
  const difference = boundsOf(minus(g.left, g.right), bounds);
  if (alwaysHolds(g.op, difference, zero)) return true;
  if (neverHolds(g.op, difference, zero)) return false;
  let yes = false;
  let no = false;
  const holds = guardTest([g], compile);
  const all = everyPoint([...guardVariables([g])], [], bounds, (value) => {
    if (holds(value)) yes = true;
    else no = true;
    return !(yes && no);
  });
  if (all === false) return 'varies';
  return all === undefined ? undefined : yes;
}
