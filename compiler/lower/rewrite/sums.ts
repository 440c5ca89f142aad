/** Terms rewritten into what can be proved: without entries of index tensors, and with inner sums as tensors of their own. */
import { mapIndex, renaming, variable, variablesOfAll } from '../../ir/indices/expression.ts';
import { mapGuard, sidesOf } from '../../ir/indices/guards.ts';
import type { Factor, IndexExpr, IndexVar, TensorId, Term } from '../../ir/tensor/program.ts';
import { mapFactor } from '../../ir/tensor/walk.ts';
import type { Builder } from '../builder.ts';

/**
 * A term whose indices are arithmetic only: an entry of an index tensor becomes a sum over all indices weighted by the
 * tensor's selector, `E[tokens[t], d] = sum(v) S[t, v] E[v, d]`, and a guard `v == tokens[t]` the factor S[t, v].
 */
export function withoutEntries(b: Builder, t: Term, outputs: number): Term {
  const reduced: IndexVar[] = [...t.reduced];
  const factors: Factor[] = [];
  const selected = (tensor: TensorId, at: readonly IndexExpr[], v: IndexExpr): Factor => {
    const of = b.origin(tensor, at);
    return { tensor: b.selector(of.tensor), at: [...of.at.map(bare), v] };
  };
  const bare = (e: IndexExpr): IndexExpr =>
    mapIndex(e, {
      entry: (tensor, at) => {
        const v = variable(outputs + reduced.length);
        const type = b.tensors[tensor].type;
        reduced.push({ name: `v${reduced.length}`, size: type?.kind === 'index' ? type.size : 1 });
        factors.push(selected(tensor, at, v));
        return v;
      },
    });
  const own = t.factors.map((f) => mapFactor(b.gathered(f), bare));
  const guards = t.guards.flatMap((g) => {
    const [entrySide, other] = g.left.kind === 'entry' ? [g.left, g.right] : [g.right, g.left];
    if (g.op === '==' && entrySide.kind === 'entry') {
      factors.push(selected(entrySide.tensor, entrySide.at, bare(other)));
      return [];
    }
    return [mapGuard(g, bare)];
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
  const isOuter = (e: readonly IndexExpr[]): boolean => variablesOfAll(e).every((v) => v < outputs);
  const inner = t.factors.filter((f) => !isOuter(f.at));
  const outer = t.factors.filter((f) => isOuter(f.at));
  const innerGuards = t.guards.filter((g) => !isOuter(sidesOf([g])));
  const outerGuards = t.guards.filter((g) => isOuter(sidesOf([g])));
  if (inner.length < 2 || outer.length + outerGuards.length === 0) return t;
  const kept = variablesOfAll([...inner.flatMap((f) => f.at), ...sidesOf(innerGuards)]).filter((v) => v < outputs);
  const index = renaming((v) => (v < outputs ? kept.indexOf(v) : v - outputs + kept.length));
  const id = make(
    {
      coefficient: 1n,
      reduced: t.reduced,
      guards: innerGuards.map((g) => mapGuard(g, index)),
      factors: inner.map((f) => mapFactor(f, index)),
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
