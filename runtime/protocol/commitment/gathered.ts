/**
 * Rows of a source's tensor X that public indices name, G[n, t] = X[indices[n], t]: what a claim about G means for the commitment to X.
 *
 *   G~(n*, t*) = sum over n of eq(n*, n) X~(bits of indices[n], t*)
 *
 * The bits of an index are known, so each summand is an opening that weighs no rows and columns but its index's: a claim costs what is
 * gathered, and not what X has. It leaves no message and needs no challenge, as both sides are the same linear form on rows of X.
 * Summands of equal indices are one.
 *
 * G is 0 beyond its axes, as every tensor is. Along those of the indices nothing is added beyond them. Along t it is X that is 0: its slots
 * outside are shown to be zero with its commitment, or for an open one known to whoever checked it, and further ones have no weight.
 * Along X's first axis no index leads beyond the end: each is in its type, as every public input is, and the reader of a bundle
 * refuses a type of another size than the axis.
 */
import type { GadgetTensor, LayoutAxis } from '../../../compiler/ir/gadget/program.ts';
import { add, eqTable, mul } from '../scalar.ts';
import type { Opening } from './hyrax.ts';
import {
  blockPrefix,
  columnDigits,
  gatheredFrom,
  knownDigit,
  rowLengths,
  tensorProduct,
  type Tensors,
} from './layout.ts';

/** The claim scale * G~(point), one point per axis of G, as one opening for each index that occurs among `indices`, row-major. */
export function openGathered(
  program: Tensors,
  tensor: GadgetTensor,
  indices: ArrayLike<number | bigint>,
  point: readonly (readonly bigint[])[],
  scale: bigint,
): Opening[] {
  const { source, file } = gatheredFrom(program, tensor);
  const [first, ...axes] = file.axes;
  const own = tensor.shape.length - axes.length;
  const weights = tensorProduct(point.slice(0, own).map((p, j) => eqTable(p, tensor.shape[j])));
  const inner = point.slice(own);
  const lengths = rowLengths({ axes });
  const high = (a: LayoutAxis, j: number): bigint[] =>
    eqTable(inner[j].slice(0, inner[j].length - a.columnBits), lengths[j]);
  const rowWeights = tensorProduct(axes.map(high));
  const digits = columnDigits({ axes }, inner);
  const width = 2 ** first.columnBits;
  const byIndex = new Map<number, bigint>();
  for (const [n, weight] of weights.entries()) {
    const index = Number(indices[n]);
    byIndex.set(index, add(byIndex.get(index) ?? 0n, weight));
  }
  return Array.from(byIndex, ([index, weight]): Opening => ({
    matrix: source,
    firstRow: file.firstRow + Math.floor(index / width) * rowWeights.length,
    rowWeights,
    columns: [...blockPrefix(file), knownDigit(index % width, first.columnBits), ...digits],
    scale: mul(scale, weight),
  }));
}
