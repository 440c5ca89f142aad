/** Index arithmetic, ready to run: as functions of a point, and as sums of one table a variable. */
import { indexFunctions, listed, type IndexFunction } from '../../compiler/ir/indices/evaluate.ts';
import { guardTest } from '../../compiler/ir/indices/guards.ts';
import { summands, type Summand } from '../../compiler/ir/indices/summands.ts';
import type { Compare, IndexExpr } from '../../compiler/ir/tensor/program.ts';
import { narrow, type Values } from './values.ts';

/** Values of the variables of an equation and of what it sums over. */
export type Point = number[];

/** What index arithmetic may read: index tensors. */
export interface IndexSource {
  shape(tensor: number): readonly number[];
  values(tensor: number): Values;
}

/** Makes functions of the point, entries of index tensors included. */
const functionsOver = (source: IndexSource): ((e: IndexExpr) => IndexFunction<Point>) =>
  indexFunctions<Point>({
    variable: listed,
    entry: (tensor, parts) => {
      const position = rowMajor(parts, source.shape(tensor));
      const entries = narrow(source.values(tensor));
      return (at) => entries[position(at)];
    },
  });

/** The row-major position of an access. */
export function positionFunction(
  at: readonly IndexExpr[],
  shape: readonly number[],
  source: IndexSource,
): IndexFunction<Point> {
  return rowMajor(at.map(functionsOver(source)), shape);
}

function rowMajor(parts: readonly IndexFunction<Point>[], shape: readonly number[]): IndexFunction<Point> {
  return (point) => {
    let position = 0;
    for (let k = 0; k < parts.length; k++) position = position * shape[k] + parts[k](point);
    return position;
  };
}

/** Whether all guards hold. */
export const guardFunction = (guards: readonly Compare[], source: IndexSource): ((at: Point) => boolean) =>
  guardTest(guards, functionsOver(source));

/** A position as `base` plus one table entry for each variable. */
export interface Positions {
  readonly base: number;
  readonly tables: ReadonlyMap<number, Int32Array>;
}

/**
 * The position of an access as a sum of functions of one variable each, which nearly every access is; undefined where it
 * is none. Points outside the guards get some position, perhaps outside the tensor.
 */
export function separate(
  at: readonly IndexExpr[],
  shape: readonly number[],
  sizes: readonly number[],
  source: IndexSource,
): Positions | undefined {
  const axes: Summand[][] = [];
  for (const e of at) {
    const terms = summands(e);
    if (terms === undefined) return undefined;
    axes.push(terms);
  }
  let base = 0;
  const tables = new Map<number, Int32Array>();
  const point: Point = sizes.map(() => 0);
  const functionOf = functionsOver(source);
  const add = ({ factor, of, variable: id }: Summand, stride: number): void => {
    const by = stride * factor;
    const value = functionOf(of);
    if (id === undefined) {
      base += by * value(point);
      return;
    }
    const table = tables.get(id) ?? new Int32Array(sizes[id]);
    tables.set(id, table);
    for (let x = 0; x < table.length; x++) {
      point[id] = x;
      table[x] += by * value(point);
    }
    point[id] = 0;
  };
  let stride = 1;
  for (let k = shape.length - 1; k >= 0; k--) {
    for (const t of axes[k]) add(t, stride);
    stride *= shape[k];
  }
  return { base, tables };
}

/** The sums of the tables' entries over all values of `variables`, row-major. */
export function positionsOver(
  variables: readonly number[],
  sizes: readonly number[],
  tables: ReadonlyMap<number, Int32Array>,
): Int32Array {
  let out = Int32Array.of(0);
  for (const id of variables) {
    const table = tables.get(id);
    const next = new Int32Array(out.length * sizes[id]);
    for (let i = 0, n = 0; i < out.length; i++)
      for (let x = 0; x < sizes[id]; x++) next[n++] = out[i] + (table === undefined ? 0 : table[x]);
    out = next;
  }
  return out;
}

/** Calls `visit` at every value of `variables`, row-major; other variables of the point stay as they are. */
export function eachPoint(variables: readonly number[], sizes: readonly number[], at: Point, visit: () => void): void {
  const go = (k: number): void => {
    if (k === variables.length) return visit();
    for (let x = 0; x < sizes[variables[k]]; x++) {
      at[variables[k]] = x;
      go(k + 1);
    }
  };
  go(0);
}
