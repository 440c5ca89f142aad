/**
 * Sums of products over indices, for tensor programs and gadget programs, in integers or reals. Integers are exact: in doubles
 * where bounds say that they hold all sums, in limbs of them or on a device beyond, and in bigints where that ends.
 */
import type { Range } from '../../../compiler/ir/tensor/program.ts';
import { toComputed, type ComputedIntegers } from '../../integers/arrays.ts';
import { makeSums } from '../../integers/sums.ts';
import { contract } from './contract.ts';
import { boundOf, isExact, isSmallFactor, partsOf, tightened, type Factor } from './factors.ts';
import { addBigProducts, addProducts, denseSteps, loopsOver } from './loops.ts';
import type { Evaluation, Place } from './products.ts';

/** coefficient * the sum over all values of the other indices, where the first ones are the target's, of the product of the factors. */
export interface SumTerm {
  /** A real only beside reals. */
  readonly coefficient: bigint | number;
  /** Of all indices. */
  readonly lengths: readonly number[];
  readonly factors: readonly Factor[];
}

/** A term that nothing is left to sum over in. */
interface Summed {
  readonly coefficient: bigint | number;
  readonly factors: readonly Factor[];
}

/**
 * The sum of terms, row-major over the target's shape.
 *
 * @param range of the sums, which are then held as it asks for
 */
export function* sumTerms(
  place: Place,
  shape: readonly number[],
  terms: readonly SumTerm[],
  range?: Range,
): Evaluation<ComputedIntegers> {
  const steps = denseSteps([...shape.keys()], shape);
  const size = shape.reduce((n, d) => n * d, 1);
  const held = (v: ComputedIntegers): ComputedIntegers => (range === undefined ? v : toComputed(v, range));
  const add = ({ factors, coefficient }: Summed, to: Float64Array): void => {
    if (factors.every(isSmallFactor))
      addProducts(loopsOver([...shape.keys()], shape, steps, factors), factors, Number(coefficient), to);
  };
  const summed: Summed[] = [];
  for (const term of terms) summed.push(yield* summedTerm(place, term, shape.length));
  const [only] = summed;
  if (summed.length === 1 && isPlain(only, shape, steps, size)) return held(only.factors[0].values as ComputedIntegers);
  const tight = isInDoubles(summed) ? summed : summed.map((t) => ({ ...t, factors: t.factors.map(tightened) }));
  if (isInDoubles(tight)) {
    const sums = new Float64Array(size);
    for (const term of tight) add(term, sums);
    return held(sums);
  }
  const bound = totalBound(tight) ?? 0n;
  const sums = makeSums(size, bound);
  for (const { factors, coefficient: given } of tight) {
    const coefficient = BigInt(given);
    const parts = isPlain({ factors, coefficient: 1n }, shape, steps, size) ? undefined : partsOf(factors, 1);
    if (parts === undefined) sums.add(valuesOf(factors, shape, steps, size), coefficient, boundOf(factors, 1) ?? 0n);
    else
      for (const part of parts) {
        const values = new Float64Array(size);
        add({ factors: part.factors, coefficient: 1 }, values);
        sums.add(values, coefficient * part.scale, part.bound);
      }
  }
  return sums.result(range ?? { lo: -bound, hi: bound });
}

/** Sums over what the target does not have. */
function* summedTerm(place: Place, term: SumTerm, outputs: number): Evaluation<Summed> {
  const { lengths } = term;
  // An index of one value moves nothing.
  const factors = term.factors.map((f) => ({ ...f, steps: f.steps.map((s, id) => (lengths[id] === 1 ? 0 : s)) }));
  const isReduced = (f: Factor): boolean => f.steps.some((step, id) => id >= outputs && step !== 0);
  const reduced = lengths.flatMap((_, id) => (id >= outputs ? [id] : []));
  const unused = reduced.filter((id) => factors.every((f) => f.steps[id] === 0));
  let { coefficient } = term;
  // A sum over an index that occurs nowhere repeats its only value.
  for (const id of unused)
    coefficient = typeof coefficient === 'bigint' ? coefficient * BigInt(lengths[id]) : coefficient * lengths[id];
  const open = factors.filter(isReduced);
  if (open.length === 0) return { coefficient, factors };
  const own = reduced.filter((id) => !unused.includes(id));
  const sum = yield* contract(place, open, own, lengths);
  return { coefficient, factors: [...factors.filter((f) => !isReduced(f)), sum] };
}

function totalBound(terms: readonly Summed[]): bigint | undefined {
  let total = 0n;
  for (const { factors, coefficient } of terms) {
    const bound = boundOf(factors, 1);
    // A constant is no real by itself.
    if (bound === undefined || typeof coefficient === 'number') return undefined;
    total += bound * (coefficient < 0n ? -coefficient : coefficient);
  }
  return total;
}

const isInDoubles = (terms: readonly Summed[]): boolean =>
  isExact(totalBound(terms)) && terms.every((t) => t.factors.every(isSmallFactor));

/** Whether a term is a single array, entry by entry. */
const isPlain = (
  { coefficient, factors }: Summed,
  shape: readonly number[],
  steps: readonly number[],
  size: number,
): boolean =>
  factors.length === 1 &&
  (coefficient === 1n || coefficient === 1) &&
  factors[0].values.length === size &&
  factors[0].base === 0 &&
  shape.every((length, id) => length === 1 || factors[0].steps[id] === steps[id]);

/** The products of factors of which one is beyond doubles: as it lies where there is but one, else in bigints. */
function valuesOf(
  factors: readonly Factor[],
  shape: readonly number[],
  steps: readonly number[],
  size: number,
): ComputedIntegers {
  if (isPlain({ factors, coefficient: 1n }, shape, steps, size)) return factors[0].values as ComputedIntegers;
  const values = Array.from({ length: size }, () => 0n);
  addBigProducts(loopsOver([...shape.keys()], shape, steps, factors), factors, 1n, values);
  return values;
}
