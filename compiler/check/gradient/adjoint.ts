/**
 * Accesses turned around. A term reads F[a(i, r)] for all i and r; what flows back to F[p] comes from the i and r with
 * a(i, r) = p. Solved for as many of these variables as the access determines, they are index arithmetic in p, with guards
 * where there is no solution; the variables that are left over are summed (Griewank and Walther, "Evaluating Derivatives",
 * 2nd ed., section 3.2: the adjoint of a gather is a scatter, written here as a gather).
 */
import { substitution, variable, variablesOf, type IndexFold } from '../../ir/indices/expression.ts';
import { mapGuard } from '../../ir/indices/guards.ts';
import { constant, linearParts, minus, product } from '../../ir/indices/normal.ts';
import type { Compare, IndexExpr } from '../../ir/tensor/program.ts';

/** Where an access is inverted. */
export interface Inversion {
  /** One for each axis; no floor division of variables that digits can take apart (`digits.ts`). */
  readonly at: readonly IndexExpr[];
  /** The variables of the axes of what is read. */
  readonly axes: readonly number[];
  /** The variables that may be solved for. */
  readonly unknown: ReadonlySet<number>;
  readonly size: (id: number) => number;
  readonly make: IndexFold<IndexExpr>;
}

/** Variables as index arithmetic in the axes and in variables that are not solved for, and where that is so. */
export interface Solution {
  readonly values: ReadonlyMap<number, IndexExpr>;
  readonly guards: readonly Compare[];
}

/** The solution of a(i, r) = p; undefined where the access is not of a form that is solved here. */
export function invert({ at, axes, unknown, size, make }: Inversion): Solution | undefined {
  const values = new Map<number, IndexExpr>();
  const guards: Compare[] = [];
  const known = (id: number): IndexExpr => values.get(id) ?? variable(id);
  const solve: Solve = (id, value, reach) => {
    values.set(id, value);
    guards.push(...within(value, size(id), reach));
  };
  // Bare variables first: what they are worth may be what an index beside another variable needs.
  const bare = new Set<number>();
  for (const [axis, e] of at.entries()) {
    if (e.kind !== 'var' || !unknown.has(e.var) || values.has(e.var)) continue;
    solve(e.var, variable(axes[axis]), { lo: 0, hi: size(axes[axis]) - 1 });
    bare.add(axis);
  }
  for (const [axis, written] of at.entries()) {
    if (bare.has(axis)) continue;
    const p = variable(axes[axis]);
    const e = substitution(known, make)(written);
    if (e.kind === 'entry') {
      guards.push({ left: e, op: '==', right: p });
      continue;
    }
    const { constant: least, terms } = linearParts(e);
    const isOpen = (id: number): boolean => unknown.has(id);
    const open = terms.flatMap(({ atom, factor }) =>
      atom.kind === 'var' && isOpen(atom.var) ? [{ id: atom.var, factor }] : [],
    );
    const others = terms.filter(({ atom }) => !(atom.kind === 'var' && isOpen(atom.var)));
    if (others.some(({ atom }) => [...variablesOf(atom)].some(isOpen))) return undefined;
    const rest = others.reduce(
      (sum, { atom, factor }) => minus(sum, product(constant(factor), atom)),
      minus(p, constant(least)),
    );
    if (open.length === 0) guards.push({ left: rest, op: '==', right: constant(0) });
    else if (!solveSum(open, rest, size, solve, guards)) return undefined;
  }
  // What was solved for first may have been so in terms of what was solved for after it.
  for (const [id, value] of [...values].reverse()) values.set(id, substitution(known, make)(value));
  const resolved = substitution(known, make);
  return { values, guards: guards.map((g) => mapGuard(g, resolved)) };
}

type Solve = (id: number, value: IndexExpr, reach: { readonly lo: number; readonly hi: number }) => void;

/** The guards that keep a value that reaches this far in [0, length). */
const within = (value: IndexExpr, length: number, { lo, hi }: { lo: number; hi: number }): Compare[] => [
  ...(lo < 0 ? [{ left: value, op: '>=', right: constant(0) } as const] : []),
  ...(hi >= length ? [{ left: value, op: '<', right: constant(length) } as const] : []),
];

/**
 * Solves `sum of factor * variable = rest`: for all variables where each stride is larger than what the smaller ones reach
 * together, else for one variable of factor 1 or -1, in terms of the others.
 */
function solveSum(
  terms: readonly { readonly id: number; readonly factor: number }[],
  rest: IndexExpr,
  size: (id: number) => number,
  solve: Solve,
  guards: Compare[],
): boolean {
  const sorted = [...terms].sort((a, b) => b.factor - a.factor);
  const reach = (k: number): number => sorted.slice(k).reduce((n, t) => n + t.factor * (size(t.id) - 1), 0);
  if (sorted.every((t, k) => t.factor > 0 && reach(k + 1) < t.factor)) {
    guards.push({ left: rest, op: '>=', right: constant(0) }, { left: rest, op: '<=', right: constant(reach(0)) });
    let above: number | undefined;
    for (const { id, factor } of sorted) {
      const inner: IndexExpr = above === undefined ? rest : { kind: 'mod', left: rest, by: above };
      const value: IndexExpr = factor === 1 ? inner : { kind: 'div', left: inner, by: factor };
      // The two guards keep the outermost digit in its range; the others may be cut off at less than their stride allows.
      solve(id, value, { lo: 0, hi: above === undefined ? size(id) - 1 : Math.ceil(above / factor) - 1 });
      above = factor;
    }
    if (above !== undefined && above > 1)
      guards.push({ left: { kind: 'mod', left: rest, by: above }, op: '==', right: constant(0) });
    return true;
  }
  const one = terms.find((t) => Math.abs(t.factor) === 1);
  if (one === undefined) return false;
  const others = terms
    .filter((t) => t !== one)
    .reduce((sum, t) => minus(sum, product(constant(t.factor), variable(t.id))), rest);
  solve(one.id, one.factor === 1 ? others : minus(constant(0), others), { lo: -1, hi: size(one.id) });
  return true;
}
