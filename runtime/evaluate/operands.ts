/** Factors of a product: numbers, and where the entry for a point is. */
import { variablesOf } from '../../compiler/ir/indices/expression.ts';
import { guardVariables } from '../../compiler/ir/indices/guards.ts';
import type { Compare, Factor } from '../../compiler/ir/tensor/program.ts';
import {
  eachPoint,
  guardFunction,
  positionFunction,
  separate,
  type IndexSource,
  type Point,
  type Positions,
} from './indices.ts';
import { narrow, type Numbers, type Working } from './values.ts';

/** `values[base + tables of each variable]`. Positions outside the values, which only guarded points have, count as 0. */
export interface Operand extends Positions {
  readonly values: Numbers;
  /** A bound of the magnitude of every entry. */
  readonly bound: number;
}

/** What a product reads. */
export interface OperandSource extends IndexSource {
  values(tensor: number): Working;
  /** A bound of the magnitude of a tensor's entries. */
  bound(tensor: number): number;
}

/** Larger intermediate arrays than this are refused; no access that people write needs one. */
const MAX_DENSE = 2 ** 28;

export const variablesIn = (operand: Operand): number[] => [...operand.tables.keys()];

/** @throws TooWide if the tensor's integers are bigints */
export function operandOf(factor: Factor, sizes: readonly number[], source: OperandSource): Operand {
  const values = narrow(source.values(factor.tensor));
  const shape = source.shape(factor.tensor);
  const bound = source.bound(factor.tensor);
  const positions = separate(factor.at, shape, sizes, source);
  if (positions) return { ...positions, values, bound };
  const ids = [...factor.at.reduce((found, e) => variablesOf(e, found), new Set<number>())];
  const position = positionFunction(factor.at, shape, source);
  return { ...tabulate(ids, sizes, (at) => values[position(at)] ?? 0), bound };
}

/** 1 where the guards hold, else 0. */
export function maskOf(guards: readonly Compare[], sizes: readonly number[], source: IndexSource): Operand {
  const holds = guardFunction(guards, source);
  return { ...tabulate([...guardVariables(guards)], sizes, (at) => (holds(at) ? 1 : 0)), bound: 1 };
}

function tabulate(
  ids: readonly number[],
  sizes: readonly number[],
  entry: (at: Point) => number,
): Pick<Operand, 'values' | 'base' | 'tables'> {
  const values = new Float64Array(denseSize(ids, sizes));
  const point: Point = sizes.map(() => 0);
  let n = 0;
  eachPoint(ids, sizes, point, () => {
    values[n++] = entry(point);
  });
  return { values, ...densePositions(ids, sizes) };
}

export function denseSize(ids: readonly number[], sizes: readonly number[]): number {
  const size = ids.reduce((n, id) => n * sizes[id], 1);
  if (size > MAX_DENSE) throw new RangeError(`internal error: an intermediate array of ${size} entries`);
  return size;
}

/** Row-major over the variables. */
export function densePositions(ids: readonly number[], sizes: readonly number[]): Positions {
  const tables = new Map<number, Int32Array>();
  let stride = 1;
  for (const id of [...ids].reverse()) {
    const step = stride;
    tables.set(
      id,
      Int32Array.from({ length: sizes[id] }, (_, x) => x * step),
    );
    stride *= sizes[id];
  }
  // In the order of the variables, as callers list them.
  return { base: 0, tables: new Map(ids.map((id) => [id, tables.get(id) ?? new Int32Array(0)])) };
}
