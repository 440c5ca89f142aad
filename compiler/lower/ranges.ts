/** Interval arithmetic on polynomials. */
import type { Factor, Range, Term } from '../ir/tensor/program.ts';

/** A range that covers the sum of terms, from the ranges of the tensors in it. */
export const rangeOf = (tensors: readonly { readonly range: Range }[], terms: readonly Term[]): Range =>
  terms.map((t) => termRange(tensors, t)).reduce(addRanges, { lo: 0n, hi: 0n });

const addRanges = (a: Range, b: Range): Range => ({ lo: a.lo + b.lo, hi: a.hi + b.hi });

function termRange(tensors: readonly { readonly range: Range }[], t: Term): Range {
  let [lo, hi] = [t.coefficient, t.coefficient];
  for (const f of t.factors) {
    const { range } = tensors[f.tensor];
    const ends = [lo * range.lo, lo * range.hi, hi * range.lo, hi * range.hi];
    lo = ends.reduce((a, v) => (v < a ? v : a));
    hi = ends.reduce((a, v) => (v > a ? v : a));
  }
  const [a, c] =
    t.factors.length === 2 && sameFactor(t.factors[0], t.factors[1]) && t.coefficient > 0n ? [0n, hi] : [lo, hi];
  const count = t.reduced.reduce((n, v) => n * BigInt(v.size), 1n);
  if (t.guards.length === 0) return { lo: a * count, hi: c * count };
  return { lo: a < 0n ? a * count : 0n, hi: c > 0n ? c * count : 0n };
}

const sameFactor = (a: Factor, b: Factor): boolean =>
  a.tensor === b.tensor && JSON.stringify(a.at) === JSON.stringify(b.at);
