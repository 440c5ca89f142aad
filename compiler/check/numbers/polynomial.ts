/**
 * Polynomials over tensor entries while an equation is read: exact rational coefficients of real values, variables by
 * id. A quantity is what `round` may be given: P, P/Q, sqrt(P) or P/sqrt(Q).
 */
import type { Compare, Factor, IndexExpr, Rational } from '../../ir/tensor/program.ts';
import {
  ONE,
  add as addRational,
  multiply as multiplyRational,
  negate as negateRational,
} from '../../ir/numbers/rational.ts';
import { indexKey, substitution, variable, variablesOf } from '../../ir/indices/expression.ts';
import { compareKey, guardVariables, mapGuard } from '../../ir/indices/guards.ts';
import { mapFactor } from '../../ir/tensor/walk.ts';

/** coefficient * sum over `reduced`, where all guards hold, of the product of the factors' real values. */
export interface RealTerm {
  readonly coefficient: Rational;
  readonly reduced: readonly number[];
  readonly guards: readonly Compare[];
  readonly factors: readonly Factor[];
}

export type Poly = readonly RealTerm[];

/** `root` says which part stands under a square root. */
export interface Quantity {
  readonly p: Poly;
  readonly q?: Poly;
  readonly root?: 'p' | 'q';
}

/** More terms, or factors in one, than this are refused: products of sums multiply out. */
export const MAX_TERMS = 4096;
const MAX_FACTORS = 64;

export class TooManyTerms extends RangeError {}

export const constantPoly = (value: Rational): Poly =>
  value.num === 0n ? [] : [{ coefficient: value, reduced: [], guards: [], factors: [] }];

export const factorPoly = (factor: Factor): Poly => [{ coefficient: ONE, reduced: [], guards: [], factors: [factor] }];

/** The value of a polynomial that is one number; undefined where it is not. */
export function constantValue(p: Poly): Rational | undefined {
  if (p.length === 0) return { num: 0n, den: 1n };
  const [term] = p;
  if (p.length > 1 || term === undefined) return undefined;
  return term.factors.length + term.guards.length + term.reduced.length === 0 ? term.coefficient : undefined;
}

const factorKey = (f: Factor): string => `${f.tensor}[${f.at.map(indexKey).join(',')}]`;

export { factorKey };

function termKey(t: RealTerm): string {
  const guards = t.guards.map((g) => {
    const { key, sign } = compareKey(g);
    return `${sign ? '' : '!'}${key}`;
  });
  return `${t.reduced.join(',')}|${guards.sort().join('&')}|${t.factors.map(factorKey).sort().join('*')}`;
}

/** Adds like terms, drops zeros. */
function collect(terms: readonly RealTerm[]): Poly {
  if (terms.length < 2) return terms.filter((t) => t.coefficient.num !== 0n);
  const byKey = new Map<string, RealTerm>();
  for (const t of terms) {
    const key = termKey(t);
    const same = byKey.get(key);
    byKey.set(key, same === undefined ? t : { ...same, coefficient: addRational(same.coefficient, t.coefficient) });
  }
  if (byKey.size > MAX_TERMS) throw new TooManyTerms('an equation of more than 4096 terms, multiplied out');
  return [...byKey.values()].filter((t) => t.coefficient.num !== 0n);
}

export const addPoly = (a: Poly, b: Poly): Poly => collect([...a, ...b]);

export const scalePoly = (a: Poly, by: Rational): Poly =>
  by.num === 0n ? [] : a.map((t) => ({ ...t, coefficient: multiplyRational(t.coefficient, by) }));

export const negatePoly = (a: Poly): Poly => a.map((t) => ({ ...t, coefficient: negateRational(t.coefficient) }));

/** Adds guards to every term; a term whose guards contradict each other vanishes. */
export function guardPoly(a: Poly, guards: readonly Compare[]): Poly {
  return a.flatMap((t) => {
    const all = mergeGuards(t.guards, guards);
    return all === undefined ? [] : [{ ...t, guards: all }];
  });
}

function mergeGuards(a: readonly Compare[], b: readonly Compare[]): readonly Compare[] | undefined {
  if (b.length === 0) return a;
  const signs = new Map<string, boolean>();
  const merged: Compare[] = [];
  for (const g of [...a, ...b]) {
    const { key, sign } = compareKey(g);
    const known = signs.get(key);
    if (known === undefined) {
      signs.set(key, sign);
      merged.push(g);
    } else if (known !== sign) return undefined;
  }
  return merged;
}

export const renameGuard = (g: Compare, replace: (id: number) => IndexExpr): Compare =>
  mapGuard(g, substitution(replace));

export const renameFactor = (f: Factor, replace: (id: number) => IndexExpr): Factor =>
  mapFactor(f, substitution(replace));

/** Products multiply out. `copy` makes a fresh variable like another: a sum times itself has two indices. */
export function multiplyPoly(a: Poly, b: Poly, copy: (id: number) => number): Poly {
  if (a.length * b.length > MAX_TERMS) throw new TooManyTerms('an equation of more than 4096 terms, multiplied out');
  const out: RealTerm[] = [];
  for (const s of a)
    for (const t of b) {
      const renamed = new Map(t.reduced.filter((id) => s.reduced.includes(id)).map((id) => [id, copy(id)]));
      const replace = (id: number): IndexExpr => variable(renamed.get(id) ?? id);
      const guards = mergeGuards(
        s.guards,
        t.guards.map((g) => renameGuard(g, replace)),
      );
      if (guards === undefined) continue;
      if (s.factors.length + t.factors.length > MAX_FACTORS)
        throw new TooManyTerms('a product of more than 64 factors');
      out.push({
        coefficient: multiplyRational(s.coefficient, t.coefficient),
        reduced: [...s.reduced, ...t.reduced.map((id) => renamed.get(id) ?? id)],
        guards,
        factors: [...s.factors, ...t.factors.map((f) => renameFactor(f, replace))],
      });
    }
  return collect(out);
}

/** Sum over variables where guards hold. A variable that nothing depends on only counts. */
export function sumPoly(
  a: Poly,
  over: readonly number[],
  guards: readonly Compare[],
  size: (id: number) => number,
): Poly {
  return guardPoly(a, guards).map((t) => {
    const used = termVariables(t);
    const kept = over.filter((id) => used.has(id));
    const times = over.filter((id) => !used.has(id)).reduce((n, id) => n * BigInt(size(id)), 1n);
    return {
      ...t,
      coefficient: multiplyRational(t.coefficient, { num: times, den: 1n }),
      reduced: [...kept, ...t.reduced],
    };
  });
}

/** Variables that a term's guards and factors speak of. */
export function termVariables(t: RealTerm): Set<number> {
  const found = new Set<number>();
  guardVariables(t.guards, found);
  for (const f of t.factors) for (const e of f.at) variablesOf(e, found);
  return found;
}

/** Variables of a polynomial that are not reduced in it. */
export function freeVariables(p: Poly): Set<number> {
  const found = new Set<number>();
  for (const t of p) for (const id of termVariables(t)) if (!t.reduced.includes(id)) found.add(id);
  return found;
}
