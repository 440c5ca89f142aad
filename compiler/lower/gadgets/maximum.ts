/**
 * Maxima. A selector b is committed: 0 or 1 everywhere, adding up to 1 where the guards hold. It says which entry is the
 * maximum, so that the maximum is attained; that no entry is larger is one range lookup each.
 *
 *   max      m = sum b x,   m - x >= 0 where the guards hold
 *   argmax   j = sum i b,   m - x - [i < j] >= 0: before the first maximum every entry is smaller, which decides ties
 *
 * [i < j] is committed, too: c with c[i] = c[i + 1] + b[i + 1] and c[last] = 0, which leaves it no other value.
 *
 * Cost for an entry: a committed bit, mostly 0, and a leaf; an argmax has a second bit. Where an index is public, none of
 * these bits is needed (`public-argmax.ts`).
 */
import { simplified, substitution, variable } from '../../ir/indices/expression.ts';
import { mapGuard } from '../../ir/indices/guards.ts';
import type { Compare, Definition, IndexExpr, Range, Term } from '../../ir/tensor/program.ts';
import type { Builder } from '../builder.ts';
import { bitLength, entry, size, term, times } from '../expressions.ts';
import { bounded, establish, type Target } from './range.ts';

export type Maximum = Definition & { readonly kind: 'max' | 'argmax' };

interface Selection {
  /** b over the outputs and the variables of the maximum. */
  readonly selector: number;
  /** The entries, 0 where the guards do not hold; for the evaluation. */
  readonly entries: number;
  readonly shape: readonly number[];
  readonly range: Range;
  /** The entries as terms over outputs and variables, guarded. */
  readonly terms: readonly Term[];
}

function select(b: Builder, name: string, outputs: readonly number[], d: Maximum): Selection {
  const { span } = b.tensors[d.of.terms[0]?.factors[0]?.tensor ?? 0];
  const over = d.over.map((v) => v.size);
  const shape = [...outputs, ...over];
  const range = b.rangeOf(d.of.terms);
  const terms = d.of.terms.map((t) => ({ ...t, guards: [...t.guards, ...d.guards] }));
  const withZero = { lo: range.lo < 0n ? range.lo : 0n, hi: range.hi > 0n ? range.hi : 0n };
  const entries = b.inner(`${name} entries`, shape, withZero, span);
  b.evaluate(entries, terms);
  // Sums are tensors of their own: times the selector, they would run over its indices and theirs at once.
  const simple = terms.every((t) => t.reduced.length === 0 && t.factors.length <= 1);
  if (!simple) b.define(entries, terms);
  const selector = b.witness(`${name} selector`, shape, { lo: 0n, hi: 1n }, span);
  const mask = d.guards.length === 0 ? {} : { mask: b.views.mask(shape, d.guards) };
  b.hint(selector, { kind: 'largest', of: entries, over: size(over), ...mask });
  b.boolean(selector);
  const own = entry(selector, shape.length);
  const one = (guards: readonly Compare[]): Term[] => [
    { coefficient: 1n, reduced: d.over, guards, factors: [own] },
    term(-1n),
  ];
  b.zero(`${name} selects one`, outputs, one(d.guards), span);
  // Outside the guards nothing is selected; it would not matter to a maximum, but an index would count it.
  if (d.guards.length > 0) b.zero(`${name} selects nothing else`, outputs, one([]), span);
  const shown = simple ? terms : [term(1n, entry(entries, shape.length))];
  return { selector, entries, shape, range, terms: shown };
}

export function lowerMaximum(b: Builder, d: Maximum, { id, terms }: Target): void {
  const { name, shape: outputs, span } = b.tensors[id];
  const s = select(b, name, outputs, d);
  b.evaluate(id, [attained(s, d)]);
  b.zero(`${name} is attained`, outputs, [...selected(s, d), ...times(terms, -1n)], span);
  const largest = terms.map((t) => ({ ...t, guards: [...t.guards, ...d.guards] }));
  lessOrEqual(b, name, s, largest, term(1n, entry(id, outputs.length)), d.guards, []);
}

/** j, and the selector that is its one-hot form. */
export function lowerArgmax(b: Builder, d: Maximum, id: number): number {
  const { name, shape: outputs, span } = b.tensors[id];
  const s = select(b, name, outputs, d);
  const rank = outputs.length;
  const length = size(d.over.map((v) => v.size));
  const most = b.inner(`${name} maximum`, outputs, s.range, span);
  const target = establish(b, most, s.range, (established) => {
    b.evaluate(most, [attained(s, d)]);
    return established;
  });
  const own = term(1n, entry(most, rank));
  b.zero(`${name} is attained`, outputs, [...selected(s, d), ...times(target.terms, -1n)], span);

  const hint = { kind: 'after', of: s.selector } as const;
  const before = b.witness(`${name} after this`, s.shape, { lo: 0n, hi: 1n }, span, hint);
  b.inRange(before, 1);
  const next: IndexExpr = { kind: 'add', left: variable(rank), right: { kind: 'const', value: 1 } };
  const inside: Compare = { left: next, op: '<', right: { kind: 'const', value: length } };
  const at = [...outputs.map((_, v) => variable(v)), next];
  b.zero(
    `${name} counts from its end`,
    s.shape,
    [
      term(1n, entry(before, s.shape.length)),
      { ...term(-1n, { tensor: before, at }), guards: [inside] },
      { ...term(-1n, { tensor: s.selector, at }), guards: [inside] },
    ],
    span,
  );
  const largest = target.terms.map((t) => ({ ...t, guards: d.guards }));
  lessOrEqual(b, name, s, largest, own, d.guards, [{ ...term(-1n, entry(before, s.shape.length)), guards: d.guards }]);

  const iota = b.views.counting(length);
  const position = [
    {
      coefficient: 1n,
      reduced: d.over,
      guards: [],
      factors: [{ tensor: iota, at: [variable(rank)] }, entry(s.selector, s.shape.length)],
    },
  ];
  b.compute(id, position);
  return s.selector;
}

/** The entry that is selected, for the evaluation. */
const attained = (s: Selection, d: Maximum): Term => ({
  coefficient: 1n,
  reduced: d.over,
  guards: [],
  factors: [entry(s.entries, s.shape.length), entry(s.selector, s.shape.length)],
});

/** sum over the variables of b x, guarded: a polynomial over the outputs alone. */
const selected = (s: Selection, d: Maximum): Term[] =>
  s.terms.map((t) => ({
    ...t,
    reduced: [...d.over, ...t.reduced],
    factors: [...t.factors, entry(s.selector, s.shape.length)],
  }));

/** States 0 <= (largest - entry + also) wherever the guards hold. */
function lessOrEqual(
  b: Builder,
  name: string,
  s: Selection,
  largest: readonly Term[],
  evaluated: Term,
  guards: readonly Compare[],
  also: readonly Term[],
): void {
  const { span } = b.tensors[s.selector];
  const most = s.range.hi - s.range.lo;
  if (most === 0n && also.length === 0) return;
  const difference = b.inner(`${name} less entry`, s.shape, { lo: 0n, hi: most }, span);
  b.evaluate(difference, [{ ...evaluated, guards }, term(-1n, entry(s.entries, s.shape.length)), ...also]);
  bounded(b, difference, [...largest, ...times(s.terms, -1n), ...also], bitLength(most));
}

/**
 * Whether a polynomial is an entry less the maximum over entries of which it is one, `z[h, t, s] - m[h, t]` where the
 * maximum's guards hold, and 0 elsewhere. That it is at most 0 is then shown with the maximum.
 */
export function isBelowMaximum(
  terms: readonly Term[],
  definitionOf: (tensor: number) => Definition | undefined,
  shapeOf: (tensor: number) => readonly number[],
): boolean {
  if (terms.length !== 2 || terms.some((t) => t.reduced.length > 0 || t.factors.length !== 1)) return false;
  const [entryTerm, maximum] = terms[0].coefficient > 0n ? terms : [terms[1], terms[0]];
  if (entryTerm.coefficient <= 0n || entryTerm.coefficient !== -maximum.coefficient) return false;
  if (JSON.stringify(entryTerm.guards) !== JSON.stringify(maximum.guards)) return false;
  const found = definitionOf(maximum.factors[0].tensor);
  if (found?.kind !== 'max' || found.of.terms.length !== 1) return false;
  const { of, over, guards } = found;
  const [own] = of.terms;
  if (own.coefficient !== 1n || own.reduced.length + own.guards.length > 0 || own.factors.length !== 1) return false;
  if (own.factors[0].tensor !== entryTerm.factors[0].tensor) return false;
  // What each variable of the maximum is here: its outputs by where it is read, the others by the entry's place.
  const here = new Map<number, IndexExpr>(maximum.factors[0].at.map((e, v) => [v, e]));
  for (const [axis, e] of own.factors[0].at.entries()) {
    if (e.kind !== 'var') return false;
    const place = entryTerm.factors[0].at[axis];
    const reduced = e.var - maximum.factors[0].at.length;
    // The entry is among those that the maximum is over if that is over the whole axis.
    if (reduced >= 0 && over[reduced].size !== shapeOf(own.factors[0].tensor)[axis]) return false;
    if (!here.has(e.var)) here.set(e.var, place);
    if (JSON.stringify(here.get(e.var)) !== JSON.stringify(place)) return false;
  }
  const holding = new Set(entryTerm.guards.map((g) => JSON.stringify(g)));
  const read = substitution((v) => here.get(v) ?? variable(-1), simplified);
  return guards.every((g) => holding.has(JSON.stringify(mapGuard(g, read))));
}
