/** Multilinear extensions by their definition, to compare the protocol's formulas with. */
import type { CommittedSource } from '../../../compiler/ir/gadget/program.ts';
import { columnTable, type Opening } from '../../../runtime/protocol/commitment/hyrax.ts';
import { bitsFor, eqEval, mul, reduce } from '../../../runtime/protocol/scalar.ts';

/** The bits of an index, most significant first. */
export const bitsOf = (index: number, count: number): bigint[] =>
  Array.from({ length: count }, (_, i) => BigInt(Math.floor(index / 2 ** (count - 1 - i)) % 2));

/** sum over entries of eq(point, index) * entry; one point per axis, absent entries being 0. */
export function evaluate(
  shape: readonly number[],
  entries: readonly bigint[],
  point: readonly (readonly bigint[])[],
): bigint {
  let sum = 0n;
  for (const [position, v] of entries.entries()) {
    let weight = 1n;
    let rest = position;
    for (let j = shape.length - 1; j >= 0; j--) {
      weight = mul(weight, eqEval(point[j], bitsOf(rest % shape[j], bitsFor(shape[j]))));
      rest = Math.floor(rest / shape[j]);
    }
    sum += reduce(v) * weight;
  }
  return reduce(sum);
}

export const size = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** Value of openings on a matrix in the clear. */
export function openedValue(
  { columns: width }: Pick<CommittedSource, 'columns'>,
  matrix: ArrayLike<number | bigint>,
  openings: readonly Opening[],
): bigint {
  let sum = 0n;
  for (const o of openings) {
    const columns = columnTable(o.columns);
    for (const [i, w] of o.rowWeights.entries())
      for (const [j, c] of columns.entries()) sum += o.scale * mul(w, c) * BigInt(matrix[(o.firstRow + i) * width + j]);
  }
  return reduce(sum);
}
