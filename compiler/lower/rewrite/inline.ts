/**
 * Replaces tensors that only rearrange others, and sums that are read once, by what they stand for: each would be a level
 * of its own in the proof. The meaning, integer for integer, stays.
 */
import type {
  Compare,
  Definition,
  Equation,
  Factor,
  IndexExpr,
  IndexVar,
  Polynomial,
  TensorProgram,
  Term,
} from '../../ir/tensor/program.ts';

/** More factors than these in one product cost more messages than the level they save. */
const mostFactors = 3;

/** The program's equations, inlined; those of inner tensors that nothing reads any more are left out. */
export function inlineEquations(program: TensorProgram): Equation[] {
  const readers = countReaders(program.equations);
  const known = new Map<number, Polynomial>();
  const inlined = program.equations.map((e): Equation => {
    const definition = onPolynomials(e.definition, e.indices.length, (p, fixed) => ({
      ...p,
      terms: p.terms.flatMap((t) => inlineTerm(t, fixed, known, readers)),
    }));
    const t = program.tensors[e.target];
    if (definition.kind === 'polynomial' && t.role === 'inner') known.set(e.target, definition.polynomial);
    return { ...e, definition };
  });
  const left = countReaders(inlined);
  const needed = new Set<number>();
  for (const e of [...inlined].reverse())
    if (program.tensors[e.target].role !== 'inner' || (left.get(e.target) ?? 0) > 0) needed.add(e.target);
    else drop(e.definition, left);
  return inlined.filter((e) => needed.has(e.target));
}

/** Applies a change to every polynomial of a definition; `fixed` counts the variables that are not reduced. */
function onPolynomials(
  d: Definition,
  outputs: number,
  change: (p: Polynomial, fixed: number) => Polynomial,
): Definition {
  switch (d.kind) {
    case 'polynomial':
      return { ...d, polynomial: change(d.polynomial, outputs) };
    case 'round':
      return { ...d, p: change(d.p, outputs), ...(d.q ? { q: change(d.q, outputs) } : {}) };
    case 'max':
    case 'argmax':
      return { ...d, of: change(d.of, outputs + d.over.length) };
    default:
      return d;
  }
}

/** How often each tensor is read, index tensors included. */
function countReaders(equations: readonly Equation[]): Map<number, number> {
  const count = new Map<number, number>();
  for (const e of equations) forReads(e.definition, (id) => count.set(id, (count.get(id) ?? 0) + 1));
  return count;
}

const drop = (d: Definition, count: Map<number, number>): void =>
  forReads(d, (id) => count.set(id, (count.get(id) ?? 1) - 1));

function forReads(d: Definition, read: (id: number) => void): void {
  const index = (e: IndexExpr): void => {
    if (e.kind === 'const' || e.kind === 'var') return;
    if (e.kind === 'entry') {
      read(e.tensor);
      e.at.forEach(index);
      return;
    }
    index(e.left);
    if ('right' in e) index(e.right);
  };
  const guards = (list: readonly Compare[]): void => list.forEach((g) => [g.left, g.right].forEach(index));
  const polynomial = (p: Polynomial): Polynomial => {
    for (const t of p.terms) {
      guards(t.guards);
      for (const f of t.factors) {
        read(f.tensor);
        f.at.forEach(index);
      }
    }
    return p;
  };
  onPolynomials(d, 0, polynomial);
  if (d.kind === 'table') read(d.argument);
  if (d.kind === 'max' || d.kind === 'argmax') guards(d.guards);
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
    const small = p.terms.every((t) => t.factors.length <= mostFactors);
    const once = alone && readers.get(f.tensor) === 1 && flat && small;
    if (!bare && !once) continue;
    const rest = term.factors.filter((_, j) => j !== k);
    return p.terms.flatMap((t) => inlineTerm(substitute(term, rest, f, t, fixed), fixed, known, readers));
  }
  return [term];
}

const readsEntry = (t: Term): boolean => {
  const reads = (e: IndexExpr): boolean => {
    if (e.kind === 'const' || e.kind === 'var') return false;
    return e.kind === 'entry' || reads(e.left) || ('right' in e && reads(e.right));
  };
  return t.factors.some((f) => f.at.some(reads)) || t.guards.some((g) => reads(g.left) || reads(g.right));
};

/** The term with factor `f` replaced by one term `t` of what it is. */
function substitute(term: Term, rest: readonly Factor[], f: Factor, t: Term, fixed: number): Term {
  const first = fixed + term.reduced.length;
  const replace = (v: number): IndexExpr => (v < f.at.length ? f.at[v] : { kind: 'var', var: first + v - f.at.length });
  const index = (e: IndexExpr): IndexExpr => substituteIndex(e, replace);
  return {
    coefficient: term.coefficient * t.coefficient,
    reduced: [...term.reduced, ...t.reduced] as IndexVar[],
    guards: [...term.guards, ...t.guards.map((g) => ({ ...g, left: index(g.left), right: index(g.right) }))],
    factors: [...rest, ...t.factors.map((x) => ({ ...x, at: x.at.map(index) }))],
  };
}

/** An index expression with its variables replaced. */
export function substituteIndex(e: IndexExpr, replace: (v: number) => IndexExpr): IndexExpr {
  const go = (x: IndexExpr): IndexExpr => substituteIndex(x, replace);
  switch (e.kind) {
    case 'const':
      return e;
    case 'var':
      return replace(e.var);
    case 'entry':
      return { ...e, at: e.at.map(go) };
    case 'div':
    case 'mod':
      return simplify({ ...e, left: go(e.left) });
    default:
      return simplify({ ...e, left: go(e.left), right: go(e.right) });
  }
}

/** (a * m + b) div m and mod m, where b is known to be below m by nothing but its form, are left to the views. */
function simplify(e: IndexExpr): IndexExpr {
  if (e.kind === 'add' || e.kind === 'sub') {
    if (e.right.kind === 'const' && e.right.value === 0) return e.left;
    if (e.left.kind === 'const' && e.right.kind === 'const')
      return { kind: 'const', value: e.kind === 'add' ? e.left.value + e.right.value : e.left.value - e.right.value };
  }
  if (e.kind === 'mul' && e.right.kind === 'const' && e.right.value === 1) return e.left;
  if ((e.kind === 'div' || e.kind === 'mod') && e.left.kind === 'const') {
    const q = Math.floor(e.left.value / e.by);
    return { kind: 'const', value: e.kind === 'div' ? q : e.left.value - q * e.by };
  }
  return e;
}
