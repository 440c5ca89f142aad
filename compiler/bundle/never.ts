/** What a term adds nothing with: constants that are 0 everywhere, as far as that is seen at once. */
import type { GadgetTensorClass } from '../ir/gadget/program.ts';
import { foldIndex, type IndexFold } from '../ir/indices/expression.ts';
import { neverHolds } from '../ir/indices/guards.ts';
import { intervals, type Interval } from '../ir/indices/interval.ts';
import type { Compare } from '../ir/tensor/program.ts';

const known = new WeakMap<GadgetTensorClass, boolean>();

/** Whether a constant has no other entry than 0; false also where its guards' bounds leave it open. */
export function isNothing(c: GadgetTensorClass, shape: readonly number[]): boolean {
  if (c.kind !== 'constant') return false;
  // It may stand in many terms.
  const nothing = known.get(c) ?? c.values?.every((v) => v === 0n) ?? neverHold(c.guards ?? [], shape);
  known.set(c, nothing);
  return nothing;
}

function neverHold(guards: readonly Compare[], shape: readonly number[]): boolean {
  const bounds = boundsOver(shape);
  return guards.some((g) => neverHolds(g.op, foldIndex(g.left, bounds), foldIndex(g.right, bounds)));
}

/**
 * A remainder is bounded by its divisor alone, although `intervals` could say more: levels follow from what is nothing, and
 * those of existing bundles from this.
 */
const boundsOver = (shape: readonly number[]): IndexFold<Interval> => ({
  ...intervals({ variable: (id) => ({ lo: 0, hi: shape[id] - 1 }), entry: () => ({ lo: -Infinity, hi: Infinity }) }),
  mod: (_, by) => ({ lo: 0, hi: by - 1 }),
});
