/** Index arithmetic, ready to run: as functions of a point, and as sums of one table a variable. */
import type { Compare, IndexExpr } from '../../compiler/ir/tensor/program.ts';
import { narrow, type Values } from './values.ts';

/** Values of the variables of an equation and of what it sums over. */
export type Point = number[];

/** What index arithmetic may read: index tensors. */
export interface IndexSource {
  shape(tensor: number): readonly number[];
  values(tensor: number): Values;
}

export type IndexFunction = (at: Point) => number;

export function indexFunction(e: IndexExpr, source: IndexSource): IndexFunction {
  switch (e.kind) {
    case 'const': {
      const { value } = e;
      return () => value;
    }
    case 'var': {
      const id = e.var;
      return (at) => at[id];
    }
    case 'add':
    case 'sub':
    case 'mul': {
      const [left, right] = [indexFunction(e.left, source), indexFunction(e.right, source)];
      if (e.kind === 'add') return (at) => left(at) + right(at);
      if (e.kind === 'sub') return (at) => left(at) - right(at);
      return (at) => left(at) * right(at);
    }
    case 'div':
    case 'mod': {
      const left = indexFunction(e.left, source);
      const { by } = e;
      if (e.kind === 'div') return (at) => Math.floor(left(at) / by);
      return (at) => {
        const value = left(at);
        return value - by * Math.floor(value / by);
      };
    }
    case 'entry': {
      const position = positionFunction(e.at, source.shape(e.tensor), source);
      const entries = narrow(source.values(e.tensor));
      return (at) => entries[position(at)];
    }
  }
}

/** The row-major position of an access. */
export function positionFunction(
  at: readonly IndexExpr[],
  shape: readonly number[],
  source: IndexSource,
): IndexFunction {
  const parts = at.map((e) => indexFunction(e, source));
  return (point) => {
    let position = 0;
    for (let k = 0; k < parts.length; k++) position = position * shape[k] + parts[k](point);
    return position;
  };
}

export function guardFunction(guards: readonly Compare[], source: IndexSource): (at: Point) => boolean {
  const tests = guards.map(({ left, op, right }) => {
    const [a, b] = [indexFunction(left, source), indexFunction(right, source)];
    switch (op) {
      case '<':
        return (at: Point) => a(at) < b(at);
      case '<=':
        return (at: Point) => a(at) <= b(at);
      case '==':
        return (at: Point) => a(at) === b(at);
      case '!=':
        return (at: Point) => a(at) !== b(at);
      case '>=':
        return (at: Point) => a(at) >= b(at);
      case '>':
        return (at: Point) => a(at) > b(at);
    }
  });
  if (tests.length === 1) return tests[0];
  return (at) => tests.every((test) => test(at));
}

/** The variables of index arithmetic, those that choose an entry included. */
export function variablesOf(e: IndexExpr, into = new Set<number>()): Set<number> {
  switch (e.kind) {
    case 'const':
      break;
    case 'var':
      into.add(e.var);
      break;
    case 'add':
    case 'sub':
    case 'mul':
      variablesOf(e.left, into);
      variablesOf(e.right, into);
      break;
    case 'div':
    case 'mod':
      variablesOf(e.left, into);
      break;
    case 'entry':
      for (const at of e.at) variablesOf(at, into);
  }
  return into;
}

export const guardVariables = (guards: readonly Compare[]): Set<number> => {
  const found = new Set<number>();
  for (const g of guards) variablesOf(g.right, variablesOf(g.left, found));
  return found;
};

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
  let base = 0;
  const tables = new Map<number, Int32Array>();
  const point: Point = sizes.map(() => 0);
  const add = (e: IndexExpr, factor: number): boolean => {
    const ids = [...variablesOf(e)];
    if (ids.length === 0) {
      base += factor * indexFunction(e, source)(point);
      return true;
    }
    if (ids.length === 1) {
      const [id] = ids;
      const f = indexFunction(e, source);
      const table = tables.get(id) ?? new Int32Array(sizes[id]);
      tables.set(id, table);
      for (let x = 0; x < table.length; x++) {
        point[id] = x;
        table[x] += factor * f(point);
      }
      point[id] = 0;
      return true;
    }
    if (e.kind === 'add' || e.kind === 'sub')
      return add(e.left, factor) && add(e.right, e.kind === 'add' ? factor : -factor);
    if (e.kind === 'mul' && e.left.kind === 'const') return add(e.right, factor * e.left.value);
    if (e.kind === 'mul' && e.right.kind === 'const') return add(e.left, factor * e.right.value);
    return false;
  };
  let stride = 1;
  for (let k = shape.length - 1; k >= 0; k--) {
    if (!add(at[k], stride)) return undefined;
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
