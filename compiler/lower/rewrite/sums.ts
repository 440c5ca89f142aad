/** Terms rewritten into what can be proved: without entries of index tensors, and with inner sums as tensors of their own. */
import type { Factor, IndexExpr, IndexVar, Term } from '../../ir/tensor/program.ts';
import type { Builder } from '../builder.ts';
import { variable } from '../expressions.ts';
import { renameVariables, usedVariables } from './terms.ts';

/**
 * A term whose indices are arithmetic only: an entry of an index tensor becomes a sum over all indices weighted by the
 * tensor's selector, `E[tokens[t], d] = sum(v) S[t, v] E[v, d]`, and a guard `v == tokens[t]` the factor S[t, v].
 */
export function withoutEntries(b: Builder, t: Term, outputs: number): Term {
  const reduced: IndexVar[] = [...t.reduced];
  const factors: Factor[] = [];
  const selected = (e: IndexExpr & { kind: 'entry' }, v: IndexExpr): Factor => ({
    tensor: b.selector(e.tensor),
    at: [...e.at.map(bare), v],
  });
  const bare = (e: IndexExpr): IndexExpr => {
    switch (e.kind) {
      case 'const':
      case 'var':
        return e;
      case 'entry': {
        const v = variable(outputs + reduced.length);
        const type = b.tensors[e.tensor].type;
        reduced.push({ name: `v${reduced.length}`, size: type?.kind === 'index' ? type.size : 1 });
        factors.push(selected(e, v));
        return v;
      }
      case 'div':
      case 'mod':
        return { ...e, left: bare(e.left) };
      default:
        return { ...e, left: bare(e.left), right: bare(e.right) };
    }
  };
  const own = t.factors.map((f): Factor => ({ ...f, at: f.at.map(bare) }));
  const guards = t.guards.flatMap((g) => {
    const [entrySide, other] = g.left.kind === 'entry' ? [g.left, g.right] : [g.right, g.left];
    if (g.op === '==' && entrySide.kind === 'entry') {
      factors.push(selected(entrySide, bare(other)));
      return [];
    }
    return [{ ...g, left: bare(g.left), right: bare(g.right) }];
  });
  return { coefficient: t.coefficient, reduced, guards, factors: [...own, ...factors] };
}

/**
 * A term with factors or guards outside its sum, `w[t] * sum(s) a[t, s] * b[s, i]`, with the sum as a tensor of its own:
 * over all its indices at once, the proof would run over t, s and i together. `make` gives the tensor of a term.
 */
export function withInnerSum(
  t: Term,
  shape: readonly number[],
  make: (inner: Term, shape: readonly number[]) => number,
): Term {
  const outputs = shape.length;
  const isOuter = (e: readonly IndexExpr[]): boolean => usedVariables(e).every((v) => v < outputs);
  const inner = t.factors.filter((f) => !isOuter(f.at));
  const outer = t.factors.filter((f) => isOuter(f.at));
  const innerGuards = t.guards.filter((g) => !isOuter([g.left, g.right]));
  const outerGuards = t.guards.filter((g) => isOuter([g.left, g.right]));
  if (inner.length < 2 || outer.length + outerGuards.length === 0) return t;
  const kept = usedVariables([...inner.flatMap((f) => f.at), ...innerGuards.flatMap((g) => [g.left, g.right])]).filter(
    (v) => v < outputs,
  );
  const rename = (v: number): number => (v < outputs ? kept.indexOf(v) : v - outputs + kept.length);
  const index = (e: IndexExpr): IndexExpr => renameVariables(e, rename);
  const id = make(
    {
      coefficient: 1n,
      reduced: t.reduced,
      guards: innerGuards.map((g) => ({ ...g, left: index(g.left), right: index(g.right) })),
      factors: inner.map((f) => ({ ...f, at: f.at.map(index) })),
    },
    kept.map((v) => shape[v]),
  );
  return {
    coefficient: t.coefficient,
    reduced: [],
    guards: outerGuards,
    factors: [...outer, { tensor: id, at: kept.map(variable) }],
  };
}
