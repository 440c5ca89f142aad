/**
 * Indices of maxima that are public outputs. Whoever verifies knows j, hence its one-hot form S: that S selects one entry
 * of each row needs no proof, and nothing is committed for it. The maximum is what S selects, and
 *
 *   m[t] = sum(v) S[t, v] x[t, v],   m[t] - x[t, v] - [v < j[t]] >= 0
 *
 * says that no entry is larger and every one before j is smaller: j is the first of the largest, and no other index is.
 *
 * [v < j] is known as well, a sum over S. With v = B a + b, in two digits, it is a sum over the one or the other:
 *
 *   [v < j] = sum(a', b') S[t, B a' + b'] [a < a'] + sum(b') S[t, B a + b'] [b < b']
 *
 * The first is 1 where j's first digit is larger than a; the second where it is a, and its second digit larger than b. So
 * the difference is a tensor over t, a and b. Digits may lead beyond the last entry: there x and S are 0, as multilinear
 * extensions are outside of their tensors, no j is larger, and m is masked, which makes the difference 0.
 *
 * Cost for an entry: a leaf for each limb of the difference, and a committed value for each but the lowest; of 51 bits 3
 * and 2, where a hidden index takes 4 and 4 (`maximum.ts`).
 */
import { simplified, substitution, variable, variablesOfAll } from '../../ir/indices/expression.ts';
import type { Compare, Factor, IndexExpr, Term } from '../../ir/tensor/program.ts';
import { mapTerm } from '../../ir/tensor/walk.ts';
import type { Builder } from '../builder.ts';
import { bitLength, entry, term, times } from '../expressions.ts';
import type { Maximum } from './maximum.ts';
import { boundedFromTop } from './range.ts';

/**
 * Whether entries are of the kind that this gadget is for: over one index, without guards; and each of their terms reads
 * that index as it is, along a whole axis of a factor, so that it is 0 beyond the last entry. `rank`: the indices of j.
 */
export function hasKnownSelector(b: Builder, d: Maximum, rank: number): boolean {
  if (d.over.length !== 1 || d.over[0].size < 2 || d.guards.length > 0) return false;
  const [{ size }] = d.over;
  const reads = (e: IndexExpr): boolean => variablesOfAll([e]).includes(rank);
  const isWhole = ({ tensor, at }: Factor): boolean =>
    at.filter(reads).length <= 1 &&
    at.every((e, axis) => !reads(e) || (e.kind === 'var' && b.tensors[tensor].shape[axis] === size));
  return d.of.terms.every(
    (t) => t.guards.length === 0 && t.factors.every(isWhole) && t.factors.some((f) => f.at.some(reads)),
  );
}

/** States what the public output `id` is, and how the prover finds it. */
export function lowerPublicArgmax(b: Builder, d: Maximum, id: number): void {
  const { name, shape: outputs, span } = b.tensors[id];
  const rank = outputs.length;
  const [{ size }] = d.over;
  const range = b.rangeOf(d.of.terms);
  const entries = b.inner(`${name} entries`, [...outputs, size], range, span);
  b.evaluate(entries, d.of.terms);
  // Sums are tensors of their own: what they read is seldom as small as they are, and would be viewed by digits.
  const isPlain = d.of.terms.every((t) => t.reduced.length === 0 && t.factors.length === 1);
  if (!isPlain) b.define(entries, d.of.terms);
  const first = b.inner(`${name} first of the largest`, [...outputs, size], { lo: 0n, hi: 1n }, span);
  b.hint(first, { kind: 'largest', of: entries, over: size });
  b.evaluate(id, [position(b, first, rank, size)]);
  const selector = b.selector(id);
  // True of any j. It is what ties the output to its selector in the program's own words.
  const selected = position(b, selector, rank, size);
  b.zero(`${name} is what its selector selects`, outputs, [selected, term(-1n, entry(id, rank))], span);

  const most = b.inner(`${name} maximum`, outputs, range, span);
  const largest = d.of.terms.map((t) => atSelected(b, name, t, selector, rank));
  b.compute(most, largest);
  const after = b.inner(`${name} after this`, [...outputs, size], { lo: 0n, hi: 1n }, span);
  b.hint(after, { kind: 'after', of: selector });

  const { length, count, at } = digits(size);
  const own = outputs.map((_, v) => variable(v));
  const here = at(variable(rank), variable(rank + 1));
  const shown = { ...term(1n, entry(most, rank)), guards: inside(here, count * length, size) };
  const entryHere = (tensor: number): Term => term(1n, { tensor, at: [...own, here] });
  const width = range.hi - range.lo;
  const difference = b.inner(`${name} less entry`, [...outputs, count, length], { lo: 0n, hi: width }, span);
  b.evaluate(difference, [shown, ...times([entryHere(entries), entryHere(after)], -1n)]);
  const split = substitution((v) => (v === rank ? here : variable(v)), simplified);
  const read = isPlain ? d.of.terms.map((t) => mapTerm(t, split)) : [entryHere(entries)];
  const subtracted = [...read, ...isBefore(selector, rank, size)];
  boundedFromTop(b, difference, [shown, ...times(subtracted, -1n)], bitLength(width));
}

/** sum(v) v S[., v] */
const position = (b: Builder, selector: number, rank: number, size: number): Term => ({
  coefficient: 1n,
  reduced: [{ name: 'v', size }],
  guards: [],
  factors: [{ tensor: b.views.counting(size), at: [variable(rank)] }, entry(selector, rank + 1)],
});

/** Indices below `size` as `length` a + b with a < count and b < length, a power of two near the root. */
function digits(size: number): { length: number; count: number; at: (a: IndexExpr, b: IndexExpr) => IndexExpr } {
  const length = 2 ** (bitLength(BigInt(size - 1)) >> 1);
  const at = (a: IndexExpr, b: IndexExpr): IndexExpr => ({
    kind: 'add',
    left: { kind: 'mul', left: { kind: 'const', value: length }, right: a },
    right: b,
  });
  return { length, count: Math.ceil(size / length), at };
}

/** That a place is one of an entry, where there are more places than entries. */
const inside = (place: IndexExpr, places: number, entries: number): Compare[] =>
  places === entries ? [] : [{ left: place, op: '<', right: { kind: 'const', value: entries } }];

/** [v < j] over t, a and b. */
function isBefore(selector: number, rank: number, size: number): Term[] {
  const { length, count, at } = digits(size);
  const own = Array.from({ length: rank }, (_, v) => variable(v));
  const [a, c, first, second] = [rank, rank + 1, rank + 2, rank + 3].map(variable);
  const byFirst: Term = {
    coefficient: 1n,
    reduced: [
      { name: 'a', size: count },
      { name: 'b', size: length },
    ],
    guards: [{ left: a, op: '<', right: first }],
    factors: [{ tensor: selector, at: [...own, at(first, second)] }],
  };
  const bySecond: Term = {
    coefficient: 1n,
    reduced: [{ name: 'b', size: length }],
    guards: [{ left: c, op: '<', right: first }],
    factors: [{ tensor: selector, at: [...own, at(a, first)] }],
  };
  return length > 1 ? [byFirst, bySecond] : [byFirst];
}

/**
 * A term of x[t, v] at v = j[t]. What reads v beside other factors or under a sum is selected first, as a tensor of its
 * own: one sum over v and all that the others run over would be their product.
 */
function atSelected(b: Builder, name: string, t: Term, selector: number, rank: number): Term {
  const { shape, span } = b.tensors[selector];
  const v = { name: 'v', size: shape[rank] };
  if (t.factors.length === 1 && t.reduced.length === 0)
    return { ...t, reduced: [v], factors: [entry(selector, rank + 1), ...t.factors] };
  const own = Array.from({ length: rank }, (_, w) => variable(w));
  const factors = t.factors.map((f): Factor => {
    const variables = variablesOfAll(f.at);
    if (!variables.includes(rank)) return { ...f, at: f.at.map(withoutVariable(rank)) };
    const summed = variables.filter((w) => w > rank);
    const { name: read, range } = b.tensors[f.tensor];
    const withZero = { lo: range.lo < 0n ? range.lo : 0n, hi: range.hi > 0n ? range.hi : 0n };
    const lengths = summed.map((w) => t.reduced[w - rank - 1].size);
    const row = b.inner(`${name} selects of ${read}`, [...shape.slice(0, rank), ...lengths], withZero, span);
    // Over the selector's indices and the sum's, then v.
    const chosen = variable(rank + summed.length);
    const place = substitution(
      (w) => (w < rank ? variable(w) : w === rank ? chosen : variable(rank + summed.indexOf(w))),
      simplified,
    );
    const selects = { tensor: selector, at: [...own, chosen] };
    const selected = { tensor: f.tensor, at: f.at.map(place) };
    b.compute(row, [{ coefficient: 1n, reduced: [v], guards: [], factors: [selects, selected] }]);
    return { tensor: row, at: [...own, ...summed.map((w) => variable(w - 1))] };
  });
  return { ...t, factors };
}

/** Indices without a variable that nothing reads: those after it are numbered one less. */
const withoutVariable = (v: number): ((e: IndexExpr) => IndexExpr) =>
  substitution((w) => variable(w < v ? w : w - 1), simplified);
