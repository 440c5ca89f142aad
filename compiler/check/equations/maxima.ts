/** What a maximum says about the entries it is taken over: that none is larger. */
import type { Factor, IndexExpr } from '../../ir/tensor/program.ts';
import { indexKey, substitution, variable } from '../../ir/indices/expression.ts';
import { compareKey } from '../../ir/indices/guards.ts';
import type { Session } from '../context.ts';
import { renameGuard } from '../numbers/polynomial.ts';
import type { IntegerTerm } from '../numbers/ranges.ts';

/**
 * Whether the sum of the terms is an entry minus the maximum over entries of which it is one, `z[h, t, s] - m[h, t]` for
 * `m[h, t] = max(s if s <= t) z[h, t, s]`, wherever it is not 0: then it is at most 0.
 */
export function belowMaximum(session: Session, terms: readonly IntegerTerm[]): boolean {
  if (terms.length !== 2 || terms.some((t) => t.reduced.length > 0 || t.factors.length !== 1)) return false;
  const [entry, maximum] = terms[0].coefficient > 0n ? terms : [terms[1], terms[0]];
  if (entry.coefficient <= 0n || entry.coefficient !== -maximum.coefficient) return false;
  const holding = guardKeys(entry.guards);
  if (holding.join() !== guardKeys(maximum.guards).join()) return false;
  const over = unify(session, entry.factors[0], maximum.factors[0]);
  return over !== undefined && over.every((key) => holding.includes(key));
}

const guardKeys = (guards: IntegerTerm['guards']): string[] =>
  guards
    .map((g) => {
      const { key, sign } = compareKey(g);
      return `${sign ? '' : '!'}${key}`;
    })
    .sort();

/** The guards of the maximum at the point where it meets the entry, as keys; undefined if it is not taken over the entry. */
function unify(session: Session, entry: Factor, maximum: Factor): string[] | undefined {
  const equation = session.equations.findLast((e) => e.target === maximum.tensor);
  if (equation?.definition.kind !== 'max') return undefined;
  const { of, guards } = equation.definition;
  const [term] = of.terms;
  if (of.terms.length !== 1 || term.coefficient !== 1n || term.reduced.length + term.guards.length > 0)
    return undefined;
  const [pattern] = term.factors;
  if (term.factors.length !== 1 || pattern.tensor !== entry.tensor) return undefined;
  const { over } = equation.definition;
  const { shape } = session.tensors[entry.tensor];
  const bound = new Map<number, IndexExpr>(maximum.at.map((e, k) => [k, e]));
  for (const [axis, e] of pattern.at.entries()) {
    if (e.kind !== 'var' || bound.has(e.var)) continue;
    // The entry is inside its tensor, so it is among those over the whole axis.
    if (over[e.var - equation.indices.length].size !== shape[axis]) return undefined;
    bound.set(e.var, entry.at[axis]);
  }
  const replace = (id: number): IndexExpr => bound.get(id) ?? variable(id);
  const here = substitution(replace);
  if (over.some((_, k) => !bound.has(equation.indices.length + k))) return undefined;
  if (pattern.at.some((e, axis) => indexKey(here(e)) !== indexKey(entry.at[axis]))) return undefined;
  return guardKeys(guards.map((g) => renameGuard(g, replace)));
}
