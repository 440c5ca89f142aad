/**
 * Replaces tensors that only rearrange others, and sums that are read once, by what they stand for: each would be a level
 * of its own in the proof. The meaning, integer for integer, stays.
 */
import { readsData, simplified, substitution, variable } from '../../ir/indices/expression.ts';
import { isStatic } from '../../ir/indices/guards.ts';
import type {
  Equation,
  Factor,
  IndexExpr,
  IndexVar,
  Polynomial,
  TensorProgram,
  Term,
} from '../../ir/tensor/program.ts';
import { mapPolynomials, mapTerm, readsOf } from '../../ir/tensor/walk.ts';

/** More factors than these in one product cost more messages than the level they save. */
const MAX_FACTORS = 3;

/** The program's equations, inlined; those of inner tensors that nothing reads any more are left out. */
export function inlineEquations(program: TensorProgram): Equation[] {
  const readers = countReaders(program.equations);
  const known = new Map<number, Polynomial>();
  const inlined = program.equations.map((e): Equation => {
    const definition = mapPolynomials(e.definition, (p, over) => ({
      ...p,
      terms: p.terms.flatMap((t) => inlineTerm(t, e.indices.length + over.length, known, readers)),
    }));
    const t = program.tensors[e.target];
    if (definition.kind === 'polynomial' && t.role === 'inner') known.set(e.target, definition.polynomial);
    return { ...e, definition };
  });
  const left = countReaders(inlined);
  const needed = new Set<number>();
  for (const e of [...inlined].reverse())
    if (program.tensors[e.target].role !== 'inner' || (left.get(e.target) ?? 0) > 0) needed.add(e.target);
    else for (const id of readsOf(e.definition)) left.set(id, (left.get(id) ?? 1) - 1);
  return inlined.filter((e) => needed.has(e.target));
}

/** How often each tensor is read, index tensors included. */
function countReaders(equations: readonly Equation[]): Map<number, number> {
  const count = new Map<number, number>();
  for (const e of equations) for (const id of readsOf(e.definition)) count.set(id, (count.get(id) ?? 0) + 1);
  return count;
}

function inlineTerm(
  term: Term,
  fixed: number,
  known: ReadonlyMap<number, Polynomial>,
  readers: ReadonlyMap<number, number>,
): Term[] {
  for (const [k, f] of term.factors.entries()) {
    const p = known.get(f.tensor);
    if (!p) continue;
    const alone = term.factors.length === 1;
    const simple = p.terms.length === 1 && p.terms[0].reduced.length === 0 && p.terms[0].factors.length <= 1;
    // A guard beside other factors would tie indices together that are apart, and an index that is data is a sum.
    const bare = simple && !readsEntry(p.terms[0]) && (alone || p.terms[0].guards.length === 0);
    // A sum inside a sum would run over the indices of both at once.
    const flat = term.reduced.length === 0 || p.terms.every((t) => t.reduced.length === 0);
    const small = p.terms.every((t) => t.factors.length <= MAX_FACTORS);
    const once = alone && readers.get(f.tensor) === 1 && flat && small;
    if (!bare && !once) continue;
    const rest = term.factors.filter((_, j) => j !== k);
    return p.terms.flatMap((t) => inlineTerm(replaced(term, rest, f, t, fixed), fixed, known, readers));
  }
  return [term];
}

const readsEntry = (t: Term): boolean =>
  t.factors.some((f) => f.at.some(readsData)) || t.guards.some((g) => !isStatic(g));

/** The term with factor `f` replaced by one term `t` of what it is. */
function replaced(term: Term, rest: readonly Factor[], f: Factor, t: Term, fixed: number): Term {
  const first = fixed + term.reduced.length;
  const replace = (v: number): IndexExpr => (v < f.at.length ? f.at[v] : variable(first + v - f.at.length));
  const inner = mapTerm(t, substitution(replace, simplified));
  return {
    coefficient: term.coefficient * t.coefficient,
    reduced: [...term.reduced, ...t.reduced] as IndexVar[],
    guards: [...term.guards, ...inner.guards],
    factors: [...rest, ...inner.factors],
  };
}
