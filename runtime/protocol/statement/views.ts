/** Index arithmetic at run time: the entries a view takes, and the 0/1 values of guards. */
import type { DigitSource } from '../../../compiler/ir/gadget/program.ts';
import { indexFunction } from '../../../compiler/ir/indices/evaluate.ts';
import { plain, variablesOf } from '../../../compiler/ir/indices/expression.ts';
import { comparisons, guardVariables } from '../../../compiler/ir/indices/guards.ts';
import type { Compare, IndexExpr } from '../../../compiler/ir/tensor/program.ts';
import { additive, digitIndex, expand, isInside, reach, sumOf, type Additive } from './additive.ts';

/** Calls `visit` with every index tuple of a shape, row-major. The tuple is reused. */
export function forEachIndex(
  shape: readonly number[],
  visit: (index: readonly number[], position: number) => void,
): void {
  const index = shape.map(() => 0);
  const size = shape.reduce((n, d) => n * d, 1);
  for (let position = 0; position < size; position++) {
    visit(index, position);
    for (let j = shape.length - 1; j >= 0; j--) {
      if (++index[j] < shape[j]) break;
      index[j] = 0;
    }
  }
}

/** The value of an expression at every entry of a shape. */
function indexValues(e: IndexExpr, shape: readonly number[]): Float64Array {
  const sum = additive(e, shape);
  if (sum) return expand(sum, shape);
  const value = indexFunction(e);
  const values = new Float64Array(shape.reduce((n, d) => n * d, 1));
  forEachIndex(shape, (index, position) => {
    values[position] = value(index);
  });
  return values;
}

/** For every entry of a view its position in the row-major tensor it views, or -1 where it is 0. */
export function viewMap(
  shape: readonly number[],
  of: readonly number[],
  at: readonly IndexExpr[],
  guards: readonly Compare[],
): Int32Array {
  const map = positionMap(
    shape,
    of,
    at.map((e) => additive(e, shape) ?? (() => indexValues(e, shape))),
  );
  for (const g of guards) {
    const holds = guardValues(shape, g);
    for (let i = 0; i < map.length; i++) if (holds[i] === 0) map[i] = -1;
  }
  return map;
}

/** Axes of a view and of what it views that have to do with each other, and with no others. */
export interface ViewPart {
  /** Axes of the view. */
  readonly axes: readonly number[];
  /** Axes of what it views. */
  readonly of: readonly number[];
  /** For every entry of the view over its `axes` the position over the axes `of`, or -1 where it is 0; row-major. */
  readonly map: Int32Array;
}

/** Which axes of a view belong together: those whose indices a position or a guard takes both. */
export function viewGroups(
  shape: readonly number[],
  of: readonly number[],
  at: readonly IndexExpr[],
  guards: readonly Compare[],
): (Omit<ViewPart, 'map'> & { readonly guards: readonly Compare[] })[] {
  // One more for what depends on no index.
  const group = Array.from({ length: shape.length + 1 }, (_, j) => j);
  const none = shape.length;
  const unite = (variables: readonly number[]): void => {
    const [to, ...others] = variables.map((v) => group[v]);
    for (const from of others) for (const [j, g] of group.entries()) if (g === from) group[j] = to;
  };
  const positions = at.map((e) => [...variablesOf(e)]);
  const conditions = guards.map((g) => [...guardVariables([g])]);
  for (const variables of [...positions, ...conditions]) unite(variables);
  const groupOf = (variables: readonly number[]): number => group[variables[0] ?? none];
  return [...new Set(group)].map((own) => ({
    axes: shape.flatMap((_, j) => (group[j] === own ? [j] : [])),
    of: of.flatMap((_, j) => (groupOf(positions[j]) === own ? [j] : [])),
    guards: guards.filter((_, k) => groupOf(conditions[k]) === own),
  }));
}

/** A view as an outer product: an entry's position is that of its parts, and the entry is 0 where one of them is. */
export function viewParts(
  shape: readonly number[],
  of: readonly number[],
  at: readonly IndexExpr[],
  guards: readonly Compare[],
): ViewPart[] {
  const parts = viewGroups(shape, of, at, guards).map(({ axes, of: viewed, guards: own }): ViewPart => {
    const map = viewMap(
      shape.map((n, j) => (axes.includes(j) ? n : 1)),
      viewed.map((j) => of[j]),
      viewed.map((j) => at[j]),
      own,
    );
    return { axes, of: viewed, map };
  });
  // What is 1 whatever the indices are says nothing.
  return parts.filter(({ axes, of: viewed, map }) => axes.length > 0 || viewed.length > 0 || map[0] < 0);
}

/** The same for a view by digits. */
export const digitMap = (
  shape: readonly number[],
  of: readonly number[],
  axes: readonly (readonly DigitSource[])[],
): Int32Array =>
  positionMap(
    shape,
    of,
    axes.map((digits) => digitIndex(digits, shape)),
  );

/** The same for gathered rows. */
export function gatherMap(of: readonly number[], indices: ArrayLike<number | bigint>): Int32Array {
  const row = of.slice(1).reduce((n, d) => n * d, 1);
  const map = new Int32Array(indices.length * row);
  for (let n = 0; n < indices.length; n++)
    for (let i = 0; i < row; i++) map[n * row + i] = Number(indices[n]) * row + i;
  return map;
}

/**
 * Row-major positions in a tensor of shape `of`, of which an index is given for each axis, or -1 outside it. Indices that
 * are no sums are made one after the other: all of them together could be far larger than the positions.
 */
function positionMap(
  shape: readonly number[],
  of: readonly number[],
  given: readonly (Additive | (() => Float64Array))[],
): Int32Array {
  const strides = of.map((_, j) => of.slice(j + 1).reduce((n, d) => n * d, 1));
  // Doubles add up exactly below 2^53, which indices with large parts can exceed once they are multiplied by strides: those
  // parts are added up before.
  const most = given.reduce((n, e, j) => n + (typeof e === 'function' ? 0 : strides[j] * reach(e)), 0);
  const isExact = most <= Number.MAX_SAFE_INTEGER;
  const indices = given.map((e) => (isExact || typeof e === 'function' ? e : () => expand(e, shape)));
  const sums = indices.flatMap((e, j) => (typeof e === 'function' ? [] : [{ e, by: strides[j] }]));
  const map = new Int32Array(
    expand(
      sumOf(
        sums.map((s) => s.e),
        sums.map((s) => s.by),
      ),
      shape,
    ),
  );
  const outside = new Uint8Array(map.length);
  for (const [j, e] of indices.entries()) {
    const isSum = typeof e !== 'function';
    if (isSum && isInside(e, of[j])) continue;
    const values = isSum ? expand(e, shape) : e();
    for (let i = 0; i < map.length; i++) {
      if (values[i] < 0 || values[i] >= of[j]) outside[i] = 1;
      if (!isSum) map[i] += strides[j] * values[i];
    }
  }
  for (let i = 0; i < map.length; i++) if (outside[i] !== 0) map[i] = -1;
  return map;
}

export function maskValues(shape: readonly number[], guards: readonly Compare[]): Int16Array {
  const out = new Int16Array(shape.reduce((n, d) => n * d, 1)).fill(1);
  for (const g of guards) {
    const holds = guardValues(shape, g);
    for (let i = 0; i < out.length; i++) out[i] &= holds[i];
  }
  return out;
}

/** 1 where a guard holds, else 0. */
function guardValues(shape: readonly number[], { left, op, right }: Compare): Uint8Array {
  const difference = indexValues(plain.sub(left, right), shape);
  const compare = comparisons[op];
  const out = new Uint8Array(difference.length);
  for (let i = 0; i < out.length; i++) out[i] = compare(difference[i], 0) ? 1 : 0;
  return out;
}
