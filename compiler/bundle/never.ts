/** What a term adds nothing with: constants that are 0 everywhere, as far as that is seen at once. */
import type { GadgetTensorClass } from '../ir/gadget/program.ts';
import type { Compare, IndexExpr } from '../ir/tensor/program.ts';

interface Interval {
  readonly lo: number;
  readonly hi: number;
}

const known = new WeakMap<GadgetTensorClass, boolean>();

/** Whether a constant has no other entry than 0; false also where its guards' bounds leave it open. */
export function isNothing(c: GadgetTensorClass, shape: readonly number[]): boolean {
  if (c.kind !== 'constant') return false;
  // It may stand in many terms.
  const nothing =
    known.get(c) ??
    c.values?.every((v) => v === 0n) ??
    (c.guards ?? []).some((g) => neverHolds(g.op, bounds(g.left, shape), bounds(g.right, shape)));
  known.set(c, nothing);
  return nothing;
}

function neverHolds(op: Compare['op'], a: Interval, b: Interval): boolean {
  switch (op) {
    case '<':
      return a.lo >= b.hi;
    case '<=':
      return a.lo > b.hi;
    case '>':
      return a.hi <= b.lo;
    case '>=':
      return a.hi < b.lo;
    case '==':
      return a.lo > b.hi || a.hi < b.lo;
    case '!=':
      return a.lo === a.hi && b.lo === b.hi && a.lo === b.lo;
  }
}

function bounds(e: IndexExpr, shape: readonly number[]): Interval {
  if (e.kind === 'const') return { lo: e.value, hi: e.value };
  if (e.kind === 'var') return { lo: 0, hi: shape[e.var] - 1 };
  if (e.kind === 'entry') return { lo: -Infinity, hi: Infinity };
  const a = bounds(e.left, shape);
  if (!('right' in e))
    return e.kind === 'mod' ? { lo: 0, hi: e.by - 1 } : { lo: Math.floor(a.lo / e.by), hi: Math.floor(a.hi / e.by) };
  const b = bounds(e.right, shape);
  if (e.kind === 'add') return { lo: a.lo + b.lo, hi: a.hi + b.hi };
  if (e.kind === 'sub') return { lo: a.lo - b.hi, hi: a.hi - b.lo };
  const products = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
  return { lo: Math.min(...products), hi: Math.max(...products) };
}
