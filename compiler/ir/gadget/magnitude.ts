/**
 * How large a program's integers can get, from the ranges that are enforced (public inputs on reading, committed tensors
 * by their range proof, witnesses and outputs by lookups) and nothing that the program merely claims.
 */
import { LOOKED_UP_BITS, SUM_BITS } from '../numbers/limits.ts';
import type { GadgetEquation, GadgetLookup, GadgetProgram, GadgetTable, GadgetTerm } from './program.ts';
import { isOutput } from './walk.ts';
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
    if (c.kind === 'view' || c.kind === 'digits' || c.kind === 'gathered') return of(c.of);
    if (c.kind === 'witness' || isOutput(p, c)) {
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

/** What is shown of committed values, by their lookups, by those of what is left of them, and by equations that make them 0 or 1. */
export function shownRanges(p: Bounded): Map<number, Range> {
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
  const equations = new Map<number, GadgetEquation>();
  for (const e of p.equations) {
    if (e.level === 1) equations.set(e.target, e);
    const id = zeros.has(e.target) ? booleanOf(e.terms) : undefined;
    if (id !== undefined) show(id, { lo: 0n, hi: 1n });
  }
  for (const l of p.lookups) {
    const e = equations.get(l.tensor);
    const id = e && limbsOf(p, e);
    if (e === undefined || id === undefined) continue;
    const range = withLimbs(e.terms, id, l, tables[l.table].entries, (t) => out.get(t));
    if (range) show(id, range);
  }
  return out;
}

/**
 * The output v of v - l_0 - 2^s_1 l_1 - ... + c, entry by entry, if that is what an equation's target is: looked up in a range,
 * it says how large v is. Its value is said by other equations.
 */
export function limbsOf(p: Pick<Bounded, 'tensors' | 'sources'>, { terms }: GadgetEquation): number | undefined {
  if (!terms.every(isWhole)) return undefined;
  const outputs = terms.filter((t) => t.factors.length === 1 && isOutput(p, p.tensors[t.factors[0].tensor].class));
  return outputs.length === 1 && outputs[0].coefficient === 1n ? outputs[0].factors[0].tensor : undefined;
}

/** A constant, or a tensor times one, entry by entry. */
const isWhole = ({ factors, variables }: GadgetTerm): boolean =>
  factors.length <= 1 &&
  variables.length === 0 &&
  factors.every((f) => f.axes.every((a, j) => a.kind === 'output' && a.output === j));

/** The range of v where (v + the sum of the other terms + offset) / 2^shift is one of a table's `entries`. */
function withLimbs(
  terms: readonly GadgetTerm[],
  v: number,
  { offset, shift }: GadgetLookup,
  entries: bigint,
  shown: (id: number) => Range | undefined,
): Range | undefined {
  let [lo, hi] = [-offset, ((entries - 1n) << BigInt(shift)) - offset];
  for (const { coefficient, factors } of terms) {
    const id = factors.at(0)?.tensor;
    if (id === v) continue;
    const range = id === undefined ? { lo: 1n, hi: 1n } : shown(id);
    if (!range) return undefined;
    const ends = [coefficient * range.lo, coefficient * range.hi];
    lo -= larger(ends[0], ends[1]);
    hi -= ends[0] < ends[1] ? ends[0] : ends[1];
  }
  // Beyond that two ranges of one number, which are of integers, would say nothing of it together.
  return absolute(lo) >> BigInt(SUM_BITS) === 0n && absolute(hi) >> BigInt(SUM_BITS) === 0n ? { lo, hi } : undefined;
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
