/** Sums of products of tensors over index loops, exactly: the bulk of what a prover evaluates. */
import type { GadgetProgram, GadgetTensor, GadgetTerm } from '../../../compiler/ir/gadget/program.ts';
import type { Device } from '../../device/device.ts';
import type { IntegerArray } from '../../integers/arrays.ts';
import { loopsOf, positions, sizeOf, type Loop } from './loops.ts';
import { halves, makeSums, type Sums } from '../../integers/sums.ts';
import {
  isSmall,
  rangeMagnitude,
  MOST_DOUBLE,
  toComputed,
  type ComputedIntegers,
  type SmallIntegers,
} from '../../integers/arrays.ts';
import { matrixProduct, multiply } from './products.ts';

/** A tensor's integers, as they were computed and as a device takes them. */
export interface NumberSource {
  numbers(id: number): ComputedIntegers;
  entries(id: number): IntegerArray;
}

/** One term: what is summed over which loops, dense over those that move in the target. */
interface Plan {
  readonly term: GadgetTerm;
  /** Those that move in a factor, with steps of the term's own sums instead of the target. */
  readonly loops: readonly Loop[];
  /** Output loops that move in no factor. */
  readonly isFree: readonly boolean[];
  readonly outputs: readonly Loop[];
  readonly coefficient: bigint;
  readonly magnitudes: readonly bigint[];
  /** Bounds the sum of the products' magnitudes. */
  readonly bound: bigint;
}

/** The target's entries. */
export async function sumTerms(
  device: Device,
  program: GadgetProgram,
  t: GadgetTensor,
  terms: readonly GadgetTerm[],
  source: NumberSource,
): Promise<ComputedIntegers> {
  const plans = terms.map((term) => planTerm(program, t, term));
  const bound = plans.reduce((n, p) => n + p.bound * (p.coefficient < 0n ? -p.coefficient : p.coefficient), 0n);
  const length = t.shape.reduce((n, d) => n * d, 1);
  let sums: Sums | undefined;
  for (const p of plans) {
    const parts = await rawSums(device, p, source);
    // Nothing to add up, as where an output is one product of matrices.
    if (plans.length === 1 && parts.length === 1 && p.coefficient === 1n)
      return toComputed(spread(parts[0].values, p), t.range);
    sums ??= makeSums(length, bound);
    for (const { values, scale } of parts) sums.add(spread(values, p), p.coefficient * scale, p.bound);
  }
  return (sums ?? makeSums(length, 0n)).result(t.range);
}

function planTerm(program: GadgetProgram, t: GadgetTensor, term: GadgetTerm): Plan {
  const { loops, coefficient } = loopsOf(program, t, term);
  const moves = (l: Loop): boolean => l.factors.some((step) => step !== 0);
  const outputs = loops.filter((l) => l.target > 0);
  const own = outputs.filter(moves);
  const reduced = loops.filter((l) => l.target === 0);
  const magnitudes = term.factors.map((f) => rangeMagnitude(program.tensors[f.tensor].range));
  const count = BigInt(sizeOf(reduced.filter(moves)));
  return {
    term,
    loops: [...own.map((l, j) => ({ ...l, target: sizeOf(own.slice(j + 1)) })), ...reduced.filter(moves)],
    isFree: outputs.map((l) => !moves(l)),
    outputs,
    // A sum over an index that occurs nowhere repeats its only value.
    coefficient: coefficient * BigInt(sizeOf(reduced.filter((l) => !moves(l)))),
    magnitudes,
    bound: magnitudes.reduce((n, m) => n * m, count),
  };
}

/** The sums of a term's products, over the output loops that move in a factor: parts, each to be scaled. */
async function rawSums(
  device: Device,
  { term, loops, magnitudes, bound }: Plan,
  source: NumberSource,
): Promise<{ readonly values: ComputedIntegers; readonly scale: bigint }[]> {
  const one = (values: ComputedIntegers): { values: ComputedIntegers; scale: bigint }[] => [{ values, scale: 1n }];
  const factors = term.factors.map((f) => source.numbers(f.tensor));
  if (factors.length === 1 && loops.every((l) => l.target === l.factors[0])) return one(factors[0]);
  const small = factors.every(isSmall) ? factors : undefined;
  if (factors.length === 2) {
    const exact = bound < MOST_DOUBLE;
    const sparse = small && exact ? fewOnes(small, magnitudes) : undefined;
    if (small && sparse !== undefined) return one(sumOnes(loops, small, sparse));
    const product = bound < 2n ** 63n ? matrixProduct(loops) : undefined;
    const [a, b] = product ? term.factors.map((f) => source.entries(f.tensor)) : [];
    if (product && !Array.isArray(a) && !Array.isArray(b)) return one(await multiply(device, product, [a, b], exact));
  }
  const length = sizeOf(loops.filter((l) => l.target > 0));
  if (small && bound < MOST_DOUBLE) return one(addProducts(loops, small, length));
  if (small && canSplit(magnitudes, bound)) {
    const [widest, shift] = [widestOf(magnitudes), splitShift(bound)];
    const [high, low] = halves(small[widest], shift).map((part) =>
      addProducts(
        loops,
        small.map((f, k) => (k === widest ? part : f)),
        length,
      ),
    );
    return [
      { values: high, scale: 2n ** BigInt(shift) },
      { values: low, scale: 1n },
    ];
  }
  const sums: bigint[] = Array.from({ length }, () => 0n);
  addBig(loops, factors, 1n, sums);
  return one(sums);
}

/** Repeats sums along the output loops that they do not depend on. */
function spread(values: ComputedIntegers, { outputs, isFree, loops }: Plan): ComputedIntegers {
  if (!isFree.includes(true)) return values;
  const own = loops.filter((l) => l.target > 0);
  const steps = outputs.map((_, j) => (isFree[j] ? 0 : own[j - isFree.slice(0, j).filter(Boolean).length].target));
  const from = positions(outputs, steps);
  if (Array.isArray(values)) return Array.from(from, (i) => values[i]);
  const out = new (values.constructor as Float64ArrayConstructor)(from.length);
  for (let i = 0; i < from.length; i++) out[i] = (values as Float64Array)[from[i]];
  return out;
}

/** How far the widest factor's high part has to be shifted down for sums of products to fit 53 bits. */
const splitShift = (bound: bigint): number => (bound >> 52n).toString(2).length;

const widestOf = (magnitudes: readonly bigint[]): number =>
  magnitudes.reduce((best, m, k) => (m > magnitudes[best] ? k : best), 0);

/** Whether sums with the low part of the widest factor fit, too. */
const canSplit = (magnitudes: readonly bigint[], bound: bigint): boolean =>
  bound * 2n ** BigInt(splitShift(bound)) < MOST_DOUBLE * magnitudes[widestOf(magnitudes)];

/** The one of two factors whose entries are 0 with few exceptions, as those of selectors are. */
function fewOnes(factors: readonly SmallIntegers[], magnitudes: readonly bigint[]): 0 | 1 | undefined {
  for (const k of [0, 1] as const) {
    const f = factors[k];
    if (magnitudes[k] > 1n || f.length < 1024) continue;
    let count = 0;
    for (let i = 0; i < f.length; i++) if (f[i] !== 0) count++;
    if (16 * count < f.length) return k;
  }
  return undefined;
}

/** The sums of products of two factors, of which number `sparse` is 0 nearly everywhere. */
function sumOnes(loops: readonly Loop[], factors: readonly SmallIntegers[], sparse: 0 | 1): Float64Array {
  const ones = factors[sparse];
  const other = factors[1 - sparse];
  const moving = loops.filter((l) => l.factors[sparse] > 0).sort((a, b) => b.factors[sparse] - a.factors[sparse]);
  const rest = loops.filter((l) => l.factors[sparse] === 0);
  const to = positions(
    rest,
    rest.map((l) => l.target),
  );
  const from = positions(
    rest,
    rest.map((l) => l.factors[1 - sparse]),
  );
  const sums = new Float64Array(sizeOf(loops.filter((l) => l.target > 0)));
  for (let position = 0; position < ones.length; position++) {
    const v = ones[position];
    if (v === 0) continue;
    let [left, target, offset] = [position, 0, 0];
    for (const l of moving) {
      const i = Math.floor(left / l.factors[sparse]);
      left -= i * l.factors[sparse];
      target += i * l.target;
      offset += i * l.factors[1 - sparse];
    }
    // Beside the diagonal that a loop runs along.
    if (left !== 0) continue;
    for (let i = 0; i < to.length; i++) sums[target + to[i]] += v * other[offset + from[i]];
  }
  return sums;
}

/** The sums of products in doubles; the innermost loop is written out for up to three factors. */
function addProducts(loops: readonly Loop[], factors: readonly SmallIntegers[], length: number): Float64Array {
  const sums = new Float64Array(length);
  const { outer, inner } = inOrder(loops, factors);
  const offsets = factors.map(() => 0);
  const run = innermost(inner, factors, sums);
  const walk = (depth: number, target: number): void => {
    if (depth === outer.length) {
      run(target, offsets);
      return;
    }
    const { length: count, target: step, factors: steps } = outer[depth];
    for (let i = 0; i < count; i++) {
      walk(depth + 1, target + i * step);
      for (let k = 0; k < steps.length; k++) offsets[k] += steps[k];
    }
    for (let k = 0; k < steps.length; k++) offsets[k] -= count * steps[k];
  };
  walk(0, 0);
  return sums;
}

/** Iterations below which a loop of unit strides is no better than another. */
const SHORT = 16;

/**
 * The order in which memory is read best: innermost a long loop of unit strides, and of the others outermost those that
 * move through the largest factor, so that each part of it is read once.
 */
function inOrder(
  loops: readonly Loop[],
  factors: readonly SmallIntegers[],
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
  factors: readonly SmallIntegers[],
  sums: Float64Array,
): (target: number, offsets: readonly number[]) => void {
  const [a, b, c] = factors;
  const [sa, sb, sc] = steps;
  if (factors.length === 0) return (target) => void (sums[target] += 1);
  if (factors.length === 1)
    return (target, [oa]) => {
      if (to === 0) {
        let s = 0;
        for (let i = 0; i < n; i++) s += a[oa + i * sa];
        sums[target] += s;
      } else for (let i = 0; i < n; i++) sums[target + i * to] += a[oa + i * sa];
    };
  if (factors.length === 2)
    return (target, [oa, ob]) => {
      if (to === 0) {
        let s = 0;
        for (let i = 0; i < n; i++) s += a[oa + i * sa] * b[ob + i * sb];
        sums[target] += s;
      } else for (let i = 0; i < n; i++) sums[target + i * to] += a[oa + i * sa] * b[ob + i * sb];
    };
  if (factors.length === 3)
    return (target, [oa, ob, oc]) => {
      for (let i = 0; i < n; i++) sums[target + i * to] += a[oa + i * sa] * b[ob + i * sb] * c[oc + i * sc];
    };
  return (target, offsets) => {
    for (let i = 0; i < n; i++) {
      let p = 1;
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

function addBig(
  loops: readonly Loop[],
  factors: readonly ComputedIntegers[],
  coefficient: bigint,
  sums: bigint[],
): void {
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
