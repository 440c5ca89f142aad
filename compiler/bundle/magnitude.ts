/**
 * How large a program's integers can get, from the ranges that are enforced (public inputs on reading, committed tensors
 * by their range proof) and nothing that the program merely claims. Two integers that agree in the field are equal if
 * both are smaller than half its order.
 */
import type { GadgetProgram, GadgetTerm } from '../gadget/program.ts';

/** Both sides of every equation stay below 2^252, a quarter of the field. */
const mostBits = 252;

const absolute = (v: bigint): bigint => (v < 0n ? -v : v);
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** The name of the first tensor whose integers could be too large for the field, or undefined. */
export function tooWide(p: Pick<GadgetProgram, 'tensors' | 'equations' | 'sources'>): string | undefined {
  const magnitudes = new Map<number, bigint>();
  const of = (id: number): bigint => {
    const known = magnitudes.get(id);
    if (known !== undefined) return known;
    const { class: c, range } = p.tensors[id];
    if (c.kind === 'view') return of(c.of);
    if (c.kind === 'committed')
      return c.files.map((f) => 2n ** BigInt(p.sources[c.source].tensors[f].bits - 1)).reduce(larger, 0n);
    return larger(absolute(range.lo), absolute(range.hi));
  };
  for (const e of p.equations) {
    const sum = e.terms.map((t) => termMagnitude(t, of)).reduce((a, b) => a + b, 0n);
    if (sum >> BigInt(mostBits) !== 0n) return p.tensors[e.target].name;
    magnitudes.set(e.target, sum);
  }
  return undefined;
}

/** Axes summed alone are counted in the coefficient, as powers of two. */
function termMagnitude(t: GadgetTerm, of: (id: number) => bigint): bigint {
  const entries = t.variables.slice(t.shared.length).reduce((n, length) => n * BigInt(length), 1n);
  return t.factors.reduce((product, f) => product * of(f.tensor), absolute(t.coefficient) * entries);
}
