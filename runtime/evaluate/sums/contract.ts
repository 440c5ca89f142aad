/**
 * The order in which a product of several factors is summed: pair by pair, the pair whose product is smallest first, and what
 * no other factor has summed over at once, as in tensor networks.
 */
import { MAX_DOUBLE } from '../../integers/arrays.ts';
import { makeSums } from '../../integers/sums.ts';
import { boundOf, isExact, isSmallFactor, partsOf, tightened, type Factor, type SmallFactor } from './factors.ts';
import { addBigProducts, addProducts, denseSteps, loopsOver } from './loops.ts';
import { isWorth, matrixProduct, type Evaluation, type Groups, type Place } from './products.ts';
import { addSelected, selectorOf } from './selectors.ts';

/** The sum over `reduced` of the product of the factors, as one over the other indices. */
export function* contract(
  place: Place,
  factors: readonly Factor[],
  reduced: readonly number[],
  lengths: readonly number[],
): Evaluation<Factor> {
  const open = [...factors];
  const left = new Set(reduced);
  /** Those left that these factors have and no other one. */
  const only = (own: readonly Factor[]): number[] => {
    const over = [...left].filter((id) => own.some((f) => f.steps[id] !== 0) && open.every((f) => f.steps[id] === 0));
    for (const id of over) left.delete(id);
    return over;
  };
  for (const [k, f] of factors.entries()) {
    open.splice(k, 1);
    const over = only([f]);
    open.splice(k, 0, over.length === 0 ? f : yield* multiply(place, [f], over, lengths));
  }
  while (open.length > 1) {
    const [i, j] = smallestPair(open, lengths);
    const [b] = open.splice(j, 1);
    const [a] = open.splice(i, 1);
    open.push(yield* multiply(place, [a, b], only([a, b]), lengths));
  }
  return open[0];
}

const moves = (factors: readonly Factor[], id: number): boolean => factors.some((f) => f.steps[id] !== 0);

function smallestPair(factors: readonly Factor[], lengths: readonly number[]): [number, number] {
  let best: [number, number] = [0, 1];
  let least = Infinity;
  for (let i = 0; i < factors.length; i++)
    for (let j = i + 1; j < factors.length; j++) {
      const pair = [factors[i], factors[j]];
      const cost = lengths.reduce((n, length, id) => (moves(pair, id) ? n * length : n), 1);
      if (cost < least) [least, best] = [cost, [i, j]];
    }
  return best;
}

/** The sum over some indices of one factor, or of the product of two. */
function* multiply(
  place: Place,
  own: readonly Factor[],
  over: readonly number[],
  lengths: readonly number[],
): Evaluation<Factor> {
  const ids = lengths.flatMap((_, id) => (moves(own, id) ? [id] : []));
  const kept = ids.filter((id) => !over.includes(id));
  const count = over.reduce((n, id) => n * lengths[id], 1);
  const given = boundOf(own, count);
  // What a device takes at once is looked at no further.
  const factors = given === undefined || given < MAX_DOUBLE || place.takes(own, given) ? own : own.map(tightened);
  const bound = boundOf(factors, count);
  if (factors.length === 2) {
    const [a, b] = factors;
    const groups: Groups = {
      batch: kept.filter((id) => a.steps[id] !== 0 && b.steps[id] !== 0),
      own: [kept.filter((id) => b.steps[id] === 0), kept.filter((id) => a.steps[id] === 0)],
      reduce: over,
    };
    const selector = isExact(bound) ? selectorOf([a, b], lengths) : undefined;
    if (selector === undefined && isWorth(groups, lengths)) return yield* asMatrices(place, [a, b], groups, lengths);
    if (selector !== undefined) {
      const steps = denseSteps(kept, lengths);
      const values = new Float64Array(kept.reduce((n, id) => n * lengths[id], 1));
      addSelected(loopsOver(ids, lengths, steps, selector), selector, values);
      return { values, base: 0, steps, bound };
    }
  }
  const steps = denseSteps(kept, lengths);
  const size = kept.reduce((n, id) => n * lengths[id], 1);
  const loops = loopsOver(ids, lengths, steps, factors);
  if (isExact(bound) && factors.every(isSmallFactor)) {
    const values = new Float64Array(size);
    addProducts(loops, factors, 1, values);
    return { values, base: 0, steps, bound };
  }
  return { ...sumParts(factors, count, size, loops), steps };
}

type Sum = Pick<Factor, 'values' | 'base' | 'bound'>;

/** In limbs, or in bigints. */
function sumParts(factors: readonly Factor[], count: number, size: number, loops: ReturnType<typeof loopsOver>): Sum {
  const bound = boundOf(factors, count) ?? 0n;
  const parts = partsOf(factors, count);
  if (parts === undefined) {
    const values = Array.from({ length: size }, () => 0n);
    addBigProducts(loops, factors, 1n, values);
    return { values, base: 0, bound };
  }
  const most = parts.reduce((n, p) => n + p.bound * p.scale, 0n);
  const sums = makeSums(size, most);
  for (const part of parts) {
    const values = new Float64Array(size);
    addProducts(loops, part.factors, 1, values);
    sums.add(values, part.scale, part.bound);
  }
  return { values: sums.result({ lo: -bound, hi: bound }), base: 0, bound };
}

/** As matrix products, whole where the place takes them, else in limbs. */
function* asMatrices(
  place: Place,
  factors: readonly [Factor, Factor],
  groups: Groups,
  lengths: readonly number[],
): Evaluation<Factor> {
  const { product, order } = matrixProduct(factors, groups, lengths);
  const { bound, shape } = product;
  const steps = denseSteps(order, lengths);
  if (place.takes(factors, bound)) return { values: yield product, base: 0, steps, bound };
  const parts = partsOf(factors, shape[2]);
  const size = shape[0] * shape[1] * shape[3];
  if (parts === undefined) {
    const ids = lengths.flatMap((_, id) => (moves(factors, id) ? [id] : []));
    return { ...sumParts(factors, shape[2], size, loopsOver(ids, lengths, steps, factors)), steps };
  }
  const sums = makeSums(
    size,
    parts.reduce((n, p) => n + p.bound * p.scale, 0n),
  );
  for (const part of parts) {
    const made = matrixProduct(part.factors as unknown as readonly [SmallFactor, SmallFactor], groups, lengths);
    sums.add(yield made.product, part.scale, part.bound);
  }
  const most = bound ?? 0n;
  return { values: sums.result({ lo: -most, hi: most }), base: 0, steps, bound };
}
