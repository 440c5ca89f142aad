/**
 * How large a program's integers can get, from the ranges that are enforced (public inputs on reading, committed tensors
 * by their range proof) and nothing that the program merely claims.
 */
import { LOOKED_UP_BITS, SUM_BITS } from '../numbers/limits.ts';
import type { GadgetProgram, GadgetTable, GadgetTerm } from './program.ts';
import type { Range } from '../tensor/program.ts';

const absolute = (v: bigint): bigint => (v < 0n ? -v : v);
const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

export type Bounded = Pick<GadgetProgram, 'tensors' | 'equations' | 'sources' | 'lookups' | 'tables' | 'zeros'>;

/** The name of the first tensor whose integers could be too large for the field, or undefined. */
export function tooWide(p: Bounded): string | undefined {
  const magnitudes = new Map<number, bigint>();
  const shown = shownRanges(p);
  const of = (id: number): bigint | undefined => {
    const known = magnitudes.get(id);
    if (known !== undefined) return known;
    const { class: c, range } = p.tensors[id];
    if (c.kind === 'view' || c.kind === 'digits') return of(c.of);
    if (c.kind === 'witness') {
      const known = shown.get(id);
      return known && larger(absolute(known.lo), absolute(known.hi));
    }
    // Whatever range the program gives them.
    if (c.kind === 'selector' || (c.kind === 'constant' && c.values === undefined)) return 1n;
    if (c.kind === 'committed')
      return c.files.map((f) => 2n ** BigInt(p.sources[c.source].tensors[f].bits - 1)).reduce(larger, 0n);
    return larger(absolute(range.lo), absolute(range.hi));
  };
  for (const e of p.equations) {
    let sum = 0n;
    for (const t of e.terms) {
      const m = termMagnitude(t, of);
      if (m === undefined) return p.tensors[e.target].name;
      sum += m;
    }
    if (sum >> BigInt(SUM_BITS) !== 0n) return p.tensors[e.target].name;
    magnitudes.set(e.target, sum);
  }
  const looked = p.lookups.find((l) => tableBits(p.tables[l.table]) + l.shift > LOOKED_UP_BITS);
  return looked && p.tensors[looked.tensor].name;
}

const tableBits = (t: GadgetTable): number => (t.kind === 'range' ? t.bits : Math.ceil(Math.log2(t.values.length)));

/** What is shown of committed values, by their lookups and by the equations that make them 0 or 1. */
export function shownRanges(
  p: Pick<Bounded, 'tensors' | 'equations' | 'lookups' | 'tables' | 'zeros'>,
): Map<number, Range> {
  const out = new Map<number, Range>();
  const show = (id: number, r: Range): void => {
    const known = out.get(id) ?? r;
    out.set(id, { lo: larger(known.lo, r.lo), hi: known.hi < r.hi ? known.hi : r.hi });
  };
  const tables = p.tables.map((t) =>
    t.kind === 'range'
      ? { entries: 2n ** BigInt(t.bits) }
      : {
          entries: BigInt(t.values.length),
          values: { lo: t.values.reduce((a, v) => (v < a ? v : a)), hi: t.values.reduce(larger) },
        },
  );
  for (const l of p.lookups) {
    const { entries, values } = tables[l.table];
    if (l.shift === 0) show(l.tensor, { lo: -l.offset, hi: entries - 1n - l.offset });
    if (l.value !== undefined && values) show(l.value, values);
  }
  const zeros = new Set(p.zeros);
  for (const e of p.equations) {
    const id = zeros.has(e.target) ? booleanOf(e.terms) : undefined;
    if (id !== undefined) show(id, { lo: 0n, hi: 1n });
  }
  return out;
}

/** The tensor b of b b - b, entry by entry, if that is what the terms are. */
export function booleanOf(terms: readonly GadgetTerm[]): number | undefined {
  if (terms.length !== 2) return undefined;
  const [square, line] = terms;
  if (square.factors.length !== 2 || line.factors.length !== 1) return undefined;
  const id = line.factors[0].tensor;
  const inOrder =
    line.factors[0].axes.every((a, j) => a.kind === 'output' && a.output === j) &&
    square.factors.every((f) => f.tensor === id && f.axes.every((a, j) => a.kind === 'summed' && a.variable === j)) &&
    square.shared.length === square.variables.length &&
    square.shared.every((o, v) => o === v);
  return inOrder && square.coefficient === 1n && line.coefficient === -1n ? id : undefined;
}

/** Axes summed alone are counted in the coefficient, as powers of two. Undefined: a factor without a bound. */
function termMagnitude(t: GadgetTerm, of: (id: number) => bigint | undefined): bigint | undefined {
  let product = t.variables.slice(t.shared.length).reduce((n, length) => n * BigInt(length), absolute(t.coefficient));
  for (const f of t.factors) {
    const m = of(f.tensor);
    if (m === undefined) return undefined;
    product *= m;
  }
  return product;
}
