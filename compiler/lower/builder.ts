/**
 * What the gadgets are built from: tensors that are committed with the proof, tensors that are defined by equations over
 * others, lookups, and equations that are 0. Gadgets say what has to hold and how the prover finds the values; where the
 * values lie and at which level an equation is proved is decided afterwards.
 */
import type { Span } from '../../grammar/span.ts';
import type { Factor, Range, Tensor, Term } from '../ir/tensor/program.ts';
import { bitLength, constant, entry, nowhere, size, term } from './expressions.ts';
import type { GadgetLookup, GadgetStep, GadgetTable, GadgetTensor, GadgetTerm } from '../ir/gadget/program.ts';
import { limbWidths, rangeLookups, type RangePlan, type RangeUse } from './gadgets/limbs.ts';
import { withInnerSum, withoutEntries } from './rewrite/sums.ts';
import { lowerTerm, type ViewMaker } from './rewrite/terms.ts';
import { viewMaker } from './views.ts';

export type MutableTensor = { -readonly [K in keyof GadgetTensor]: GadgetTensor[K] };

export interface MutableEquation {
  readonly target: number;
  level: number;
  readonly terms: readonly GadgetTerm[];
  readonly span: Span;
}

/** Bits `shift` to `shift + width - 1` of a number. */
export interface Limb {
  readonly shift: number;
  readonly width: number;
}

export interface Builder {
  readonly tensors: MutableTensor[];
  readonly equations: MutableEquation[];
  readonly steps: GadgetStep[];
  readonly lookups: GadgetLookup[];
  readonly tables: GadgetTable[];
  readonly zeros: number[];
  readonly views: ViewMaker;
  /** Selectors that are there already, by index tensor. */
  readonly selectors: Map<number, number>;
  /** The selector of an index tensor: [i, v] = 1 where its entry i is v. */
  selector(indices: number): number;

  /** A tensor that an equation defines, or that only the prover's evaluation uses. */
  defined(name: string, shape: readonly number[], range: Range, span: Span): number;
  /** A tensor that is committed with the proof. Nothing is known of it but what lookups and equations say. */
  witness(name: string, shape: readonly number[], range: Range, span: Span): number;
  /** target = sum of terms, proved. */
  define(target: number, terms: readonly Term[]): number;
  /** target = sum of terms, for the prover's evaluation alone. */
  evaluate(target: number, terms: readonly Term[]): void;
  /** States that the sum of terms over `shape` is 0 everywhere. */
  zero(name: string, shape: readonly number[], terms: readonly Term[], span: Span): void;
  /** States that every entry of `tensor` is 0 or 1. */
  boolean(tensor: number): void;
  /** States that every entry of `tensor`, plus `offset`, is 2^shift times a number in [0, 2^width), for a limb's width. */
  inRange(tensor: number, width: number, offset?: bigint, shift?: number): void;
  /** The limbs of numbers of `bits` bits, lowest first, of which the highest is committed or not. */
  limbs(bits: number, shape: readonly number[], committed: boolean): readonly Limb[];
  /** Commits a limb of what is called `name`, and states its range. */
  limb(name: string, shape: readonly number[], limb: Limb, span: Span): number;
  /** What has been looked up in ranges. */
  readonly uses: RangeUse[];
  /**
   * States that `terms`, whose values the evaluation finds as the tensor `value`, are in [0, 2^bits): looked up at once,
   * or by limbs of which the low ones are committed and the highest follows.
   */
  bounded(value: number, terms: readonly Term[], bits: number): void;
  /** A range that covers the sum of terms. */
  rangeOf(terms: readonly Term[]): Range;
}

/** Given a place once all are known; see `place.ts`. */
export const unplaced = { kind: 'witness', axes: [], firstRow: 0, rows: 0, firstColumn: 0 } as const;

export function createBuilder(
  declared: readonly Tensor[],
  ranges: RangePlan,
  selectorOf: (b: Builder, id: number) => number,
): Builder {
  const tensors: MutableTensor[] = declared.map((t) => ({
    name: t.name,
    shape: t.shape,
    scale: t.scale,
    range: t.range,
    ...(t.type ? { type: t.type } : {}),
    ...(t.key === undefined ? {} : { key: t.key }),
    span: t.span,
    class: { kind: 'defined', level: 0 },
  }));
  const names = new Set(tensors.map((t) => t.name));
  const equations: MutableEquation[] = [];
  const steps: GadgetStep[] = [];
  const lookups: GadgetLookup[] = [];
  const tables: GadgetTable[] = [];
  const zeros: number[] = [];
  const selectors = new Map<number, number>();
  const unit = { num: 1n, den: 1n };

  const add = (name: string, t: Omit<MutableTensor, 'name' | 'scale'>): number => {
    let unused = name;
    for (let n = 2; names.has(unused); n++) unused = `${name} ${n}`;
    names.add(unused);
    return tensors.push({ name: unused, scale: unit, ...t }) - 1;
  };
  const sums = new Map<string, number>();
  const bare = (t: Term, shape: readonly number[], span: Span): Term =>
    withInnerSum(withoutEntries(b, t, shape.length), shape, (inner, innerShape) => {
      const key = JSON.stringify([inner, innerShape], (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v));
      const known = sums.get(key);
      if (known !== undefined) return known;
      const id = b.defined(`sum ${sums.size}`, innerShape, b.rangeOf([inner]), span);
      sums.set(key, id);
      const lowered = [lowerTerm(inner, innerShape, b.views)];
      equations.push({ target: id, level: 0, terms: lowered, span });
      steps.push({ kind: 'sum', target: id, terms: lowered });
      return id;
    });
  const rangeTable = (bits: number): number => {
    const known = tables.findIndex((t) => t.kind === 'range' && t.bits === bits);
    if (known >= 0) return known;
    const multiplicities = b.witness(
      `multiplicities of range ${bits}`,
      [2 ** bits],
      { lo: 0n, hi: 2n ** 31n - 1n },
      nowhere,
    );
    return tables.push({ kind: 'range', bits, multiplicities }) - 1;
  };
  const b: Builder = {
    tensors,
    equations,
    steps,
    lookups,
    tables,
    zeros,
    views: viewMaker(tensors),
    selectors,
    selector(id) {
      const known = selectors.get(id) ?? selectorOf(b, id);
      selectors.set(id, known);
      return known;
    },
    defined: (name, shape, range, span) => add(name, { shape, range, span, class: { kind: 'defined', level: 0 } }),
    witness: (name, shape, range, span) => add(name, { shape, range, span, class: unplaced }),
    define(target, terms) {
      const { shape, span } = tensors[target];
      const lowered = terms.map((t) => lowerTerm(bare(t, shape, span), shape, b.views));
      return equations.push({ target, level: 0, terms: lowered, span }) - 1;
    },
    evaluate(target, terms) {
      const { shape, span } = tensors[target];
      const lowered = terms.map((t) => lowerTerm(bare(t, shape, span), shape, b.views));
      steps.push({ kind: 'sum', target, terms: lowered });
    },
    zero(name, shape, terms, span) {
      const id = b.defined(name, shape, { lo: 0n, hi: 0n }, span);
      b.define(id, terms);
      zeros.push(id);
    },
    boolean(id) {
      const { name, shape, span } = tensors[id];
      const own = entry(id, shape.length);
      b.zero(`${name} is 0 or 1`, shape, [term(1n, own, own), term(-1n, own)], span);
    },
    uses: [],
    inRange(tensor, width, offset = 0n, shift = 0) {
      for (const l of rangeLookups(ranges, width))
        lookups.push({ tensor, table: rangeTable(l.table), offset: offset + l.offset * 2n ** BigInt(shift), shift });
    },
    limbs(bits, shape, committed) {
      b.uses.push({ bits, entries: size(shape), committed });
      let at = 0;
      return limbWidths(ranges, bits).map((width) => ({ shift: (at += width) - width, width }));
    },
    limb(name, shape, { shift, width }, span) {
      const id = b.witness(`${name} bits ${shift}`, shape, { lo: 0n, hi: 2n ** BigInt(width) - 1n }, span);
      b.inRange(id, width);
      return id;
    },
    bounded(value, terms, bits) {
      const { name, shape, span } = tensors[value];
      const [...low] = b.limbs(bits, shape, false);
      const high = low.pop()!;
      if (low.length === 0) {
        b.define(value, terms);
        b.inRange(value, bits);
        return;
      }
      const known = low.map((l): Term => {
        const limb = b.limb(name, shape, l, span);
        steps.push({ kind: 'limb', target: limb, of: value, from: 0n, sign: 1, shift: l.shift, bits: l.width });
        return term(-(2n ** BigInt(l.shift)), entry(limb, shape.length));
      });
      const rest = b.defined(`${name} from bit ${high.shift}`, shape, tensors[value].range, span);
      b.evaluate(rest, [term(1n, entry(value, shape.length)), ...known]);
      b.define(rest, [...terms, ...known]);
      b.inRange(rest, high.width, 0n, high.shift);
    },
    rangeOf: (terms) => terms.map((t) => termRange(tensors, t)).reduce(addRanges, { lo: 0n, hi: 0n }),
  };
  return b;
}

/** A value that the prover finds, committed, and how equations speak of it. */
export interface Target {
  readonly id: number;
  /** The tensor itself, or its limbs where it is too wide to look up at once. */
  readonly terms: readonly Term[];
  /** To be called once the evaluation has found the value. */
  finish(): void;
}

/**
 * Commits the tensor `id` and shows that its entries are in `range`, or in the range up to the next power of two: at once,
 * or by limbs whose sum it is defined as.
 */
export function establish(b: Builder, id: number, { lo, hi }: Range): Target {
  const { name, shape, span } = b.tensors[id];
  const limbs = b.limbs(bitLength(hi - lo), shape, true);
  if (limbs.length === 1) {
    b.tensors[id].class = unplaced;
    b.inRange(id, limbs[0].width, -lo);
    return { id, terms: [term(1n, entry(id, shape.length))], finish: () => undefined };
  }
  const tensors = limbs.map((l) => b.limb(name, shape, l, span));
  const terms = [
    ...limbs.map(({ shift }, k) => term(2n ** BigInt(shift), entry(tensors[k], shape.length))),
    ...constant(lo),
  ];
  b.define(id, terms);
  return {
    id,
    terms,
    finish() {
      for (const [k, { shift, width }] of limbs.entries())
        b.steps.push({ kind: 'limb', target: tensors[k], of: id, from: lo, sign: 1, shift, bits: width });
    },
  };
}

const addRanges = (a: Range, b: Range): Range => ({ lo: a.lo + b.lo, hi: a.hi + b.hi });

function termRange(tensors: readonly MutableTensor[], t: Term): Range {
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
