/** Bounds of index arithmetic, by interval arithmetic. */
import type { IndexExpr, TensorId } from '../tensor/program.ts';
import { foldIndex, type IndexFold } from './expression.ts';

/** Both ends are included. */
export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

/** What a variable or an entry of an index tensor can be. */
export interface IndexBounds {
  variable(id: number): Interval;
  entry(tensor: TensorId): Interval;
}

/** The fold that bounds an expression. `exact` passes on a bound that it can be, or throws. */
export const intervals = (bounds: IndexBounds, exact: (n: number) => number = (n) => n): IndexFold<Interval> => ({
  constant: (value) => ({ lo: value, hi: value }),
  variable: (id) => bounds.variable(id),
  add: (a, b) => ({ lo: exact(a.lo + b.lo), hi: exact(a.hi + b.hi) }),
  sub: (a, b) => ({ lo: exact(a.lo - b.hi), hi: exact(a.hi - b.lo) }),
  mul: (a, b) => {
    const corners = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi].map(exact);
    return { lo: Math.min(...corners), hi: Math.max(...corners) };
  },
  div: (a, by) => ({ lo: Math.floor(a.lo / by), hi: Math.floor(a.hi / by) }),
  mod: (a, by) => {
    const low = Math.floor(a.lo / by);
    return low === Math.floor(a.hi / by) ? { lo: a.lo - low * by, hi: a.hi - low * by } : { lo: 0, hi: by - 1 };
  },
  entry: (tensor) => bounds.entry(tensor),
});

/** An interval that holds every value of `e`. */
export const interval = (e: IndexExpr, bounds: IndexBounds, exact?: (n: number) => number): Interval =>
  foldIndex(e, intervals(bounds, exact));
