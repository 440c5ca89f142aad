/** Index tensors that only move the entries of another: `target[i] = tokens[i div T, i mod T + 1]`. They need no selector of their own. */
import { readsData, substitution } from '../../ir/indices/expression.ts';
import type { Equation, Factor, IndexExpr, Tensor, TensorId } from '../../ir/tensor/program.ts';

/** The entry that an entry of an index tensor is, of a tensor that moves none itself. */
export type OriginOf = (tensor: TensorId, at: readonly IndexExpr[]) => Factor;

/** `equations`: inlined, so that what they read is there. */
export function originsOf(tensors: readonly Tensor[], equations: readonly Equation[]): OriginOf {
  const moved = new Map<TensorId, Factor>();
  for (const { target, definition } of equations) {
    if (definition.kind !== 'polynomial' || tensors[target].type?.kind !== 'index') continue;
    const [term] = definition.polynomial.terms;
    const [factor] = term?.factors ?? [];
    const only = definition.polynomial.terms.length === 1 && term.factors.length === 1 && term.coefficient === 1n;
    if (!only || term.reduced.length + term.guards.length > 0 || factor.at.some(readsData)) continue;
    if (tensors[factor.tensor].type?.kind === 'index') moved.set(target, factor);
  }
  const origin: OriginOf = (tensor, at) => {
    const of = moved.get(tensor);
    return of === undefined ? { tensor, at } : origin(of.tensor, of.at.map(substitution((v) => at[v])));
  };
  return origin;
}
