/** Walks over definitions and terms: what they read, and the same with something else in its place. */
import { mapIndex, plain, tensorsOf } from '../indices/expression.ts';
import { mapGuard, sidesOf } from '../indices/guards.ts';
import type { Compare, Definition, Factor, IndexExpr, IndexVar, Polynomial, TensorId, Term } from './program.ts';

type IndexChange = (e: IndexExpr) => IndexExpr;

export const mapFactor = (f: Factor, change: IndexChange): Factor => ({ ...f, at: f.at.map(change) });

/** The term with every expression of its guards and factors changed. */
export const mapTerm = (t: Term, change: IndexChange): Term => ({
  ...t,
  guards: t.guards.map((g) => mapGuard(g, change)),
  factors: t.factors.map((f) => mapFactor(f, change)),
});

/** A polynomial of a definition, and the variables that stand between the equation's indices and its terms' own. */
export interface Part {
  readonly polynomial: Polynomial;
  readonly over: readonly IndexVar[];
}

/** The definition with every polynomial changed. */
export function mapPolynomials(
  d: Definition,
  change: (p: Polynomial, over: readonly IndexVar[]) => Polynomial,
): Definition {
  switch (d.kind) {
    case 'constant':
    case 'table':
      return d;
    case 'polynomial':
      return { ...d, polynomial: change(d.polynomial, []) };
    case 'round':
      return { ...d, p: change(d.p, []), ...(d.q === undefined ? {} : { q: change(d.q, []) }) };
    case 'max':
    case 'argmax':
      return { ...d, of: change(d.of, d.over) };
  }
}

/** The polynomials of a definition, in order. */
export function polynomialsOf(d: Definition): Part[] {
  const found: Part[] = [];
  mapPolynomials(d, (polynomial, over) => {
    found.push({ polynomial, over });
    return polynomial;
  });
  return found;
}

/** The guards of a definition that are none of its terms'. */
export const ownGuards = (d: Definition): readonly Compare[] =>
  d.kind === 'max' || d.kind === 'argmax' ? d.guards : [];

/** The definition with its tensors and tables numbered otherwise, index tensors included. */
export function renumber(d: Definition, tensor: (id: TensorId) => TensorId, table: (id: number) => number): Definition {
  const index: IndexChange = (e) => mapIndex(e, { entry: (id, at, fold) => plain.entry(tensor(id), at, fold) });
  const terms = mapPolynomials(d, (p) => ({
    ...p,
    terms: p.terms.map((t) => {
      const moved = mapTerm(t, index);
      return { ...moved, factors: moved.factors.map((f) => ({ ...f, tensor: tensor(f.tensor) })) };
    }),
  }));
  switch (terms.kind) {
    case 'table':
      return { ...terms, table: table(terms.table), argument: tensor(terms.argument) };
    case 'max':
    case 'argmax':
      return { ...terms, guards: terms.guards.map((g) => mapGuard(g, index)) };
    default:
      return terms;
  }
}

/** Every tensor that is read, in order, as often as it is; those that choose an index included. */
export function readsOf(d: Definition): TensorId[] {
  if (d.kind === 'table') return [d.argument];
  const found: TensorId[] = [];
  const indices = (list: readonly IndexExpr[]): void => {
    for (const e of list) tensorsOf(e, found);
  };
  for (const { polynomial } of polynomialsOf(d))
    for (const term of polynomial.terms) {
      indices(sidesOf(term.guards));
      for (const f of term.factors) {
        found.push(f.tensor);
        indices(f.at);
      }
    }
  indices(sidesOf(ownGuards(d)));
  return found;
}

/** The tensors that are read, in order of appearance, without repeats. */
export const readTensors = (d: Definition): TensorId[] => [...new Set(readsOf(d))];
