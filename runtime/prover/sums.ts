/** Sums of products of tensors over index loops, exactly: the bulk of what a prover evaluates. */
import type { AxisBinding, GadgetProgram, GadgetTensor, GadgetTerm } from '../../compiler/gadget/program.ts';
import type { Range } from '../../compiler/tensor/program.ts';
import { bitsFor } from '../protocol/scalar.ts';

/** Exact integers: doubles within 53 bits, or bigints. */
export type Numbers = Int16Array | Int32Array | Float64Array | bigint[];

const mostDouble = 2n ** 53n;

export const fitsDouble = ({ lo, hi }: Range): boolean => lo > -mostDouble && hi < mostDouble;

/** Zeros in the narrowest storage for a range. */
export function makeNumbers({ lo, hi }: Range, length: number): Numbers {
  if (lo >= -(2n ** 15n) && hi < 2n ** 15n) return new Int16Array(length);
  if (lo >= -(2n ** 31n) && hi < 2n ** 31n) return new Int32Array(length);
  return fitsDouble({ lo, hi }) ? new Float64Array(length) : Array.from({ length }, () => 0n);
}

/** A loop of a term: over an output index, a summed reduced index, or an axis that only one factor has. */
export interface Loop {
  readonly length: number;
  /** Stride in the target (0 for reduced) and in each factor. */
  readonly target: number;
  readonly factors: readonly number[];
}

const strides = (shape: readonly number[]): number[] =>
  shape.map((_, j) => shape.slice(j + 1).reduce((n, d) => n * d, 1));

/** The loops of a term and the coefficient of its raw sum. */
export function loopsOf(
  program: GadgetProgram,
  t: GadgetTensor,
  term: GadgetTerm,
): { loops: Loop[]; coefficient: bigint } {
  const targetStrides = strides(t.shape);
  const factorStrides = term.factors.map((f) => strides(program.tensors[f.tensor].shape));
  const along = (match: (a: AxisBinding) => boolean): number[] =>
    term.factors.map((f, k) => f.axes.reduce((s, a, j) => (match(a) ? s + factorStrides[k][j] : s), 0));
  const outputs = t.shape.map((length, o): Loop => {
    const v = term.shared.indexOf(o);
    const factors = along(
      (a) => (a.kind === 'output' && a.output === o) || (v >= 0 && a.kind === 'summed' && a.variable === v),
    );
    return { length, target: targetStrides[o], factors };
  });
  const summed = term.variables
    .map((length, v): Loop => ({ length, target: 0, factors: along((a) => a.kind === 'summed' && a.variable === v) }))
    .slice(term.shared.length);
  let coefficient = term.coefficient;
  const halves: Loop[] = [];
  for (const [k, f] of term.factors.entries())
    for (const [j, a] of f.axes.entries())
      if (a.kind === 'half') {
        const length = program.tensors[f.tensor].shape[j];
        coefficient /= BigInt(2 ** bitsFor(length));
        halves.push({ length, target: 0, factors: term.factors.map((_, i) => (i === k ? factorStrides[k][j] : 0)) });
      }
  return { loops: [...outputs, ...summed, ...halves].filter((l) => l.length > 1), coefficient };
}

const magnitude = ({ lo, hi }: Range): bigint => (hi > -lo ? hi : -lo);

/** The target's entries, by the ranges of the factors in doubles or bigints. */
export function sumTerms(
  program: GadgetProgram,
  t: GadgetTensor,
  terms: readonly GadgetTerm[],
  numbers: (id: number) => Numbers,
): Numbers {
  const length = t.shape.reduce((n, d) => n * d, 1);
  const plans = terms.map((term) => {
    const { loops, coefficient } = loopsOf(program, t, term);
    const count = loops.filter((l) => l.target === 0).reduce((n, l) => n * BigInt(l.length), 1n);
    const magnitudes = term.factors.map((f) => magnitude(program.tensors[f.tensor].range));
    const raw = magnitudes.reduce((n, m) => n * m, count);
    return { loops, coefficient, raw, magnitudes, factors: term.factors.map((f) => numbers(f.tensor)) };
  });
  const total = plans.reduce((n, p) => n + p.raw * (p.coefficient < 0n ? -p.coefficient : p.coefficient), 0n);
  const exact = plans.every((p) => p.raw < mostDouble && !p.factors.some((f) => Array.isArray(f)));
  if (exact && total < mostDouble) {
    const sums = new Float64Array(length);
    for (const p of plans) addProducts(p.loops, p.factors as NumberArray[], Number(p.coefficient), sums);
    return narrowed(sums, t.range);
  }
  const sums: bigint[] = Array.from({ length }, () => 0n);
  for (const p of plans) {
    if (p.raw < mostDouble && !p.factors.some((f) => Array.isArray(f))) {
      const own = new Float64Array(length);
      addProducts(p.loops, p.factors as NumberArray[], 1, own);
      for (let i = 0; i < length; i++) if (own[i] !== 0) sums[i] += p.coefficient * BigInt(own[i]);
    } else if (!p.factors.some((f) => Array.isArray(f)) && canSplit(p.magnitudes, p.raw)) {
      for (const [part, shift] of split(p.factors as NumberArray[], p.magnitudes, p.raw)) {
        const own = new Float64Array(length);
        addProducts(p.loops, part, 1, own);
        const scale = p.coefficient * 2n ** BigInt(shift);
        for (let i = 0; i < length; i++) if (own[i] !== 0) sums[i] += scale * BigInt(own[i]);
      }
    } else addBig(p.loops, p.factors, p.coefficient, sums);
  }
  return fitsDouble(t.range) ? narrowed(Float64Array.from(sums, Number), t.range) : sums;
}

/** How far the widest factor's high part has to be shifted down for sums of products to fit 53 bits. */
const splitShift = (raw: bigint): number => (raw >> 52n).toString(2).length;

const widestOf = (magnitudes: readonly bigint[]): number =>
  magnitudes.reduce((best, m, k) => (m > magnitudes[best] ? k : best), 0);

/** Whether sums with the low part fit, too. */
const canSplit = (magnitudes: readonly bigint[], raw: bigint): boolean =>
  raw * 2n ** BigInt(splitShift(raw)) < mostDouble * magnitudes[widestOf(magnitudes)];

/**
 * The factors with the widest one split, v = high 2^shift + low, so that sums of either part's products fit 53 bits.
 */
function split(
  factors: readonly NumberArray[],
  magnitudes: readonly bigint[],
  raw: bigint,
): [parts: NumberArray[], shift: number][] {
  const [widest, shift] = [widestOf(magnitudes), splitShift(raw)];
  const by = 2 ** shift;
  const of = factors[widest];
  const [high, low] = [new Float64Array(of.length), new Float64Array(of.length)];
  for (let i = 0; i < of.length; i++) {
    high[i] = Math.floor(of[i] / by);
    low[i] = of[i] - high[i] * by;
  }
  const using = (part: NumberArray): NumberArray[] => factors.map((f, k) => (k === widest ? part : f));
  return [
    [using(high), shift],
    [using(low), 0],
  ];
}

type NumberArray = Int16Array | Int32Array | Float64Array;

function narrowed(sums: Float64Array, range: Range): Numbers {
  const out = makeNumbers(range, 0);
  if (out instanceof Int16Array) return Int16Array.from(sums);
  return out instanceof Int32Array ? Int32Array.from(sums) : sums;
}

/** sums[target] += coefficient * product, over all loops; the innermost one is written out for up to three factors. */
function addProducts(
  loops: readonly Loop[],
  factors: readonly NumberArray[],
  coefficient: number,
  sums: Float64Array,
): void {
  const { outer, inner } = inOrder(loops, factors);
  const offsets = factors.map(() => 0);
  const run = innermost(inner, factors, coefficient, sums);
  const walk = (depth: number, target: number): void => {
    if (depth === outer.length) {
      run(target, offsets);
      return;
    }
    const { length, target: step, factors: steps } = outer[depth];
    for (let i = 0; i < length; i++) {
      walk(depth + 1, target + i * step);
      for (let k = 0; k < steps.length; k++) offsets[k] += steps[k];
    }
    for (let k = 0; k < steps.length; k++) offsets[k] -= length * steps[k];
  };
  walk(0, 0);
}

/** Iterations below which a loop of unit strides is no better than another. */
const SHORT = 16;

/**
 * The order in which memory is read best: innermost a long loop of unit strides, and of the others outermost those that
 * move through the largest factor, so that each part of it is read once.
 */
function inOrder(
  loops: readonly Loop[],
  factors: readonly NumberArray[],
): { readonly outer: readonly Loop[]; readonly inner: Loop } {
  const none: Loop = { length: 1, target: 0, factors: factors.map(() => 0) };
  // A short loop is left too soon: what begins and ends it costs more than strides do.
  const isUnit = (l: Loop): boolean => l.length >= SHORT && [l.target, ...l.factors].every((stride) => stride <= 1);
  const inner = loops.reduce((best, l) => {
    if (best === none || isUnit(l) !== isUnit(best)) return best === none || isUnit(l) ? l : best;
    return (isUnit(l) || l.target <= 1) && l.length > best.length ? l : best;
  }, none);
  const largest = factors.reduce((best, f, k) => (f.length > factors[best].length ? k : best), 0);
  const outer = loops.filter((l) => l !== inner).sort((a, b) => b.factors[largest] - a.factors[largest]);
  return { outer, inner };
}

function innermost(
  { length: n, target: to, factors: steps }: Loop,
  factors: readonly NumberArray[],
  coefficient: number,
  sums: Float64Array,
): (target: number, offsets: readonly number[]) => void {
  const [a, b, c] = factors;
  const [sa, sb, sc] = steps;
  if (factors.length === 1)
    return (target, [oa]) => {
      if (to === 0) {
        let s = 0;
        for (let i = 0; i < n; i++) s += a[oa + i * sa];
        sums[target] += coefficient * s;
      } else for (let i = 0; i < n; i++) sums[target + i * to] += coefficient * a[oa + i * sa];
    };
  if (factors.length === 2)
    return (target, [oa, ob]) => {
      if (to === 0) {
        let s = 0;
        for (let i = 0; i < n; i++) s += a[oa + i * sa] * b[ob + i * sb];
        sums[target] += coefficient * s;
      } else if (to === 1 && sa === 0 && sb === 1) {
        const x = coefficient * a[oa];
        for (let i = 0; i < n; i++) sums[target + i] += x * b[ob + i];
      } else for (let i = 0; i < n; i++) sums[target + i * to] += coefficient * a[oa + i * sa] * b[ob + i * sb];
    };
  if (factors.length === 3)
    return (target, [oa, ob, oc]) => {
      for (let i = 0; i < n; i++)
        sums[target + i * to] += coefficient * a[oa + i * sa] * b[ob + i * sb] * c[oc + i * sc];
    };
  return (target, offsets) => {
    for (let i = 0; i < n; i++) {
      let p = coefficient;
      for (let k = 0; k < factors.length; k++) p *= factors[k][offsets[k] + i * steps[k]];
      sums[target + i * to] += p;
    }
  };
}

/** The target's entries as integers of any size. */
export function sumExactly(
  program: GadgetProgram,
  t: GadgetTensor,
  terms: readonly GadgetTerm[],
  entries: (id: number) => readonly bigint[],
): bigint[] {
  const sums = Array.from({ length: t.shape.reduce((n, d) => n * d, 1) }, () => 0n);
  for (const term of terms) {
    const { loops, coefficient } = loopsOf(program, t, term);
    addBig(
      loops,
      term.factors.map((f) => entries(f.tensor) as bigint[]),
      coefficient,
      sums,
    );
  }
  return sums;
}

function addBig(loops: readonly Loop[], factors: readonly Numbers[], coefficient: bigint, sums: bigint[]): void {
  const offsets = factors.map(() => 0);
  const walk = (depth: number, target: number): void => {
    if (depth === loops.length) {
      let product = coefficient;
      for (const [k, a] of factors.entries()) product *= BigInt(a[offsets[k]]);
      sums[target] += product;
      return;
    }
    const { length, target: step, factors: steps } = loops[depth];
    for (let i = 0; i < length; i++) {
      walk(depth + 1, target + i * step);
      for (const [k, s] of steps.entries()) offsets[k] += s;
    }
    for (const [k, s] of steps.entries()) offsets[k] -= length * s;
  };
  walk(0, 0);
}
