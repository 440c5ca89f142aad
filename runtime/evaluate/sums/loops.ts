/** Sums of products over nested loops: in doubles, and in integers of any size. */
import type { Factor, SmallArray, SmallFactor } from './factors.ts';

/** A loop over an index: how far it moves in the target, and in each factor. */
export interface Loop {
  readonly length: number;
  /** 0 for an index that is summed over. */
  readonly target: number;
  readonly factors: readonly number[];
}

export const sizeOf = (loops: readonly { readonly length: number }[]): number =>
  loops.reduce((n, l) => n * l.length, 1);

/** The steps of a row-major array over some of the indices, in the order given. */
export function denseSteps(ids: readonly number[], lengths: readonly number[]): number[] {
  const steps = lengths.map(() => 0);
  let step = 1;
  for (const id of ids.toReversed()) {
    steps[id] = step;
    step *= lengths[id];
  }
  return steps;
}

/**
 * Loops over indices, the target having these steps. Indices of one value are left out, and those that run through target and
 * factors as one would are one.
 */
export function loopsOver(
  ids: readonly number[],
  lengths: readonly number[],
  target: readonly number[],
  factors: readonly Factor[],
): Loop[] {
  const loops: Loop[] = [];
  for (const id of ids) {
    const length = lengths[id];
    if (length === 1) continue;
    const inner: Loop = { length, target: target[id], factors: factors.map((f) => f.steps[id]) };
    const outer = loops.at(-1);
    const isOne =
      outer?.target === inner.target * length && inner.factors.every((step, k) => outer.factors[k] === step * length);
    if (outer !== undefined && isOne) loops[loops.length - 1] = { ...inner, length: outer.length * length };
    else loops.push(inner);
  }
  return loops;
}

/** Positions that nested loops lead to, the last one innermost. */
export function positions(lengths: readonly number[], steps: readonly number[]): Int32Array {
  let map = new Int32Array(1);
  for (const [j, length] of lengths.entries()) {
    const next = new Int32Array(map.length * length);
    for (let k = 0, n = 0; k < map.length; k++) for (let i = 0; i < length; i++) next[n++] = map[k] + i * steps[j];
    map = next;
  }
  return map;
}

/** The step between positions that follow each other, where there is but one. */
export function stepOf(positions: Int32Array): number | undefined {
  const step = positions.length > 1 ? positions[1] - positions[0] : 0;
  for (let i = 1; i < positions.length; i++) if (positions[i] - positions[i - 1] !== step) return undefined;
  return step;
}

/** Adds `by` times the sums of products to the target; the innermost loop is written out for up to three factors. */
export function addProducts(
  loops: readonly Loop[],
  factors: readonly SmallFactor[],
  by: number,
  sums: Float64Array,
): void {
  const { outer, inner } = inOrder(loops, factors);
  const offsets = factors.map((f) => f.base);
  const run = innermost(inner, factors, by, sums);
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
}

/** Iterations below which a loop of unit strides is no better than another. */
const SHORT = 16;

/**
 * The order in which memory is read best: innermost a long loop of unit strides, and of the others outermost those that
 * move through the largest factor, so that each part of it is read once.
 */
function inOrder(
  loops: readonly Loop[],
  factors: readonly SmallFactor[],
): { readonly outer: readonly Loop[]; readonly inner: Loop } {
  const none: Loop = { length: 1, target: 0, factors: factors.map(() => 0) };
  // A short loop is left too soon: what begins and ends it costs more than strides do.
  const isUnit = (l: Loop): boolean =>
    l.length >= SHORT && [l.target, ...l.factors].every((stride) => stride === 0 || stride === 1);
  const inner = loops.reduce((best, l) => {
    if (best === none || isUnit(l) !== isUnit(best)) return best === none || isUnit(l) ? l : best;
    return (isUnit(l) || l.target <= 1) && l.length > best.length ? l : best;
  }, none);
  const largest = factors.reduce((best, f, k) => (f.values.length > factors[best].values.length ? k : best), 0);
  const outer = loops.filter((l) => l !== inner).sort((a, b) => b.factors[largest] - a.factors[largest]);
  return { outer, inner };
}

function innermost(
  { length: n, target: to, factors: steps }: Loop,
  factors: readonly SmallFactor[],
  by: number,
  sums: Float64Array,
): (target: number, offsets: readonly number[]) => void {
  const arrays = factors.map((f) => f.values);
  const [a, b, c] = arrays;
  const [sa, sb, sc] = steps;
  if (factors.length === 0)
    return (target) => {
      for (let i = 0; i < n; i++) sums[target + i * to] += by;
    };
  if (factors.length === 1)
    return (target, [oa]) => {
      if (to === 0) {
        let s = 0;
        for (let i = 0; i < n; i++) s += a[oa + i * sa];
        sums[target] += by * s;
      } else if (to === 1 && sa === 1) addRun(sums, target, a, oa, n, by);
      else for (let i = 0; i < n; i++) sums[target + i * to] += by * a[oa + i * sa];
    };
  if (factors.length === 2)
    return (target, [oa, ob]) => {
      if (to === 0) {
        let s = 0;
        for (let i = 0; i < n; i++) s += a[oa + i * sa] * b[ob + i * sb];
        sums[target] += by * s;
      } else if (by === 1) for (let i = 0; i < n; i++) sums[target + i * to] += a[oa + i * sa] * b[ob + i * sb];
      else for (let i = 0; i < n; i++) sums[target + i * to] += by * a[oa + i * sa] * b[ob + i * sb];
    };
  if (factors.length === 3)
    return (target, [oa, ob, oc]) => {
      for (let i = 0; i < n; i++) sums[target + i * to] += by * a[oa + i * sa] * b[ob + i * sb] * c[oc + i * sc];
    };
  return (target, offsets) => {
    for (let i = 0; i < n; i++) {
      let p = by;
      for (let k = 0; k < arrays.length; k++) p *= arrays[k][offsets[k] + i * steps[k]];
      sums[target + i * to] += p;
    }
  };
}

function addRun(sums: Float64Array, target: number, a: SmallArray, from: number, n: number, by: number): void {
  if (by === 1) for (let i = 0; i < n; i++) sums[target + i] += a[from + i];
  else for (let i = 0; i < n; i++) sums[target + i] += by * a[from + i];
}

/** As `addProducts`, in integers of any size. */
export function addBigProducts(loops: readonly Loop[], factors: readonly Factor[], by: bigint, sums: bigint[]): void {
  const offsets = factors.map((f) => f.base);
  const walk = (depth: number, target: number): void => {
    if (depth === loops.length) {
      let product = by;
      for (const [k, { values }] of factors.entries()) product *= BigInt(values[offsets[k]]);
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
