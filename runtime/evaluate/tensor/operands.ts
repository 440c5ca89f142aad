/** Accesses of tensors and guards as factors of a product. */
import { variablesOf } from '../../../compiler/ir/indices/expression.ts';
import { guardVariables } from '../../../compiler/ir/indices/guards.ts';
import type { Compare, Factor as Access } from '../../../compiler/ir/tensor/program.ts';
import {
  eachPoint,
  guardFunction,
  positionFunction,
  positionsOver,
  separate,
  type IndexSource,
  type Point,
  type Positions,
} from '../indices.ts';
import type { Factor, FactorArray } from '../sums/factors.ts';
import { denseSteps, stepOf } from '../sums/loops.ts';

/** What a product reads. */
export interface FactorSource extends IndexSource {
  values(tensor: number): FactorArray;
  /** A bound of the magnitude of a tensor's entries; undefined for reals. */
  bound(tensor: number): bigint | undefined;
}

/** Larger intermediate arrays than this are refused; no access that people write needs one. */
const MAX_DENSE = 2 ** 28;

/** Indices outside the tensor, which only guarded points have, count as entries that are 0. */
export function factorOf({ tensor, at }: Access, lengths: readonly number[], source: FactorSource): Factor {
  const values = source.values(tensor);
  const shape = source.shape(tensor);
  const bound = source.bound(tensor);
  const positions = separate(at, shape, lengths, source);
  if (positions) {
    const strided = stridesOf(positions, lengths, values.length);
    if (strided) return { ...strided, values, bound };
    const ids = [...positions.tables.keys()];
    denseSize(ids, lengths);
    const map = positionsOver(ids, lengths, positions.tables);
    return { values: gathered(values, map, positions.base), base: 0, steps: denseSteps(ids, lengths), bound };
  }
  const ids = [...at.reduce((found, e) => variablesOf(e, found), new Set<number>())];
  const position = positionFunction(at, shape, source);
  return { ...gatheredAt(values, ids, lengths, position), bound };
}

/** 1 where the guard holds, else 0. */
export function maskOf(guard: Compare, lengths: readonly number[], source: IndexSource): Factor {
  const holds = guardFunction([guard], source);
  const ids = [...guardVariables([guard])];
  const both = Int16Array.of(0, 1);
  return { ...gatheredAt(both, ids, lengths, (at) => (holds(at) ? 1 : 0)), bound: 1n };
}

/** A step for every index, where tables of positions have one and all positions are inside. */
function stridesOf(
  { base, tables }: Positions,
  lengths: readonly number[],
  size: number,
): Pick<Factor, 'base' | 'steps'> | undefined {
  const steps = lengths.map(() => 0);
  let [start, lo, hi] = [base, 0, 0];
  for (const [id, table] of tables) {
    const step = stepOf(table);
    if (step === undefined) return undefined;
    steps[id] = step;
    start += table[0];
    const reach = step * (lengths[id] - 1);
    if (reach < 0) lo += reach;
    else hi += reach;
  }
  return start + lo >= 0 && start + hi < size ? { base: start, steps } : undefined;
}

function gathered(values: FactorArray, map: Int32Array, base: number): FactorArray {
  const { length } = values;
  if (Array.isArray(values))
    return Array.from(map, (p) => (base + p >= 0 && base + p < length ? values[base + p] : 0n));
  if (values instanceof Float64Array) return gatheredDoubles(values, map, base);
  // One constructor or another: of the same kind as the values.
  const out = new (values.constructor as Float64ArrayConstructor)(map.length);
  for (let i = 0; i < map.length; i++) {
    const p = base + map[i];
    if (p >= 0 && p < length) out[i] = (values as Float32Array)[p];
  }
  return out;
}

/** By itself, for the speed of a loop that sees one kind of array. */
function gatheredDoubles(values: Float64Array, map: Int32Array, base: number): Float64Array {
  const out = new Float64Array(map.length);
  for (let i = 0; i < map.length; i++) {
    const p = base + map[i];
    if (p >= 0 && p < values.length) out[i] = values[p];
  }
  return out;
}

/** Point by point, row-major over the indices. */
function gatheredAt(
  values: FactorArray,
  ids: readonly number[],
  lengths: readonly number[],
  position: (at: Point) => number,
): Omit<Factor, 'bound'> {
  const map = new Int32Array(denseSize(ids, lengths));
  const point: Point = lengths.map(() => 0);
  let n = 0;
  eachPoint(ids, lengths, point, () => {
    map[n++] = position(point);
  });
  return { values: gathered(values, map, 0), base: 0, steps: denseSteps(ids, lengths) };
}

function denseSize(ids: readonly number[], lengths: readonly number[]): number {
  const size = ids.reduce((n, id) => n * lengths[id], 1);
  if (size > MAX_DENSE) throw new RangeError(`internal error: an intermediate array of ${size} entries`);
  return size;
}
