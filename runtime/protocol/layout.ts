/**
 * Where the entries of a committed tensor lie in its source's matrix, and what a claim about the tensor's multilinear
 * extension means for the matrix (Hyrax, ePrint 2017/1132, section 6, with mixed-radix rows).
 *
 * Each axis index is split into low binary digits, which select the column, and the rest, which selects the row. The
 * weight eq(point, index) splits along, so that every claim is rows x columns, an outer product, and no axis is padded
 * to a power of two except inside its own last group of columns. Those slots are proved zero with the range proof.
 */
import type { CommittedSource, CommittedTensor, GadgetTensor } from '../../compiler/gadget/program.ts';
import type { ColumnDigit, Opening } from './form.ts';
import { eqTable, mul } from './scalar.ts';

/** Lengths of the row digits of each axis. */
export const rowLengths = (t: CommittedTensor): number[] => t.axes.map((a) => Math.ceil(a.length / 2 ** a.columnBits));

/** Row-major tensor product of weight vectors. */
export function tensorProduct(vectors: readonly (readonly bigint[])[]): bigint[] {
  let out: bigint[] = [1n];
  for (const v of vectors) out = out.flatMap((a) => (a === 0n ? v.map(() => 0n) : v.map((b) => mul(a, b))));
  return out;
}

/** The claim scale * T~(point) for a committed tensor, as openings of its source's matrix; one point per axis. */
export function openTensor(
  sources: readonly CommittedSource[],
  tensor: GadgetTensor,
  point: readonly (readonly bigint[])[],
  scale: bigint,
): Opening[] {
  if (tensor.class.kind !== 'committed') throw new Error(`internal error: ${tensor.name} is not committed`);
  const { source, stacked, files } = tensor.class;
  const outer = tensorProduct(point.slice(0, stacked).map((p, j) => eqTable(p, tensor.shape[j])));
  const inner = point.slice(stacked);
  const openings: Opening[] = [];
  for (const [k, file] of files.entries()) {
    const t = sources[source].tensors[file];
    const high = t.axes.map((a, j) => eqTable(inner[j].slice(0, inner[j].length - a.columnBits), rowLengths(t)[j]));
    const rowWeights = tensorProduct([[outer[k]], ...high]);
    const previous = openings.at(-1);
    // Files of one declaration have one layout and follow each other: one opening for all of them.
    if (previous && previous.firstRow + previous.rowWeights.length === t.firstRow)
      openings[openings.length - 1] = { ...previous, rowWeights: [...previous.rowWeights, ...rowWeights] };
    else openings.push({ matrix: source, firstRow: t.firstRow, rowWeights, columns: columnDigits(t, inner), scale });
  }
  return openings;
}

const columnDigits = (t: CommittedTensor, point: readonly (readonly bigint[])[]): ColumnDigit[] =>
  t.axes.map((a, j) => ({ point: point[j].slice(point[j].length - a.columnBits) }));

/** For every slot of the tensor's rows, row-major: the position of its entry in the row-major tensor, or -1 outside. */
export function slotMap(t: CommittedTensor, columns: number): Int32Array {
  const lengths = rowLengths(t);
  const strides = t.axes.map((_, j) => t.axes.slice(j + 1).reduce((n, a) => n * a.length, 1));
  const map = new Int32Array(t.rows * columns);
  const used = t.axes.reduce((n, a) => n + a.columnBits, 0);
  for (let slot = 0; slot < map.length; slot++) {
    let row = Math.floor(slot / columns);
    let column = slot % columns;
    if (column >= 2 ** used) {
      map[slot] = -1;
      continue;
    }
    let position = 0;
    for (let j = t.axes.length - 1; j >= 0; j--) {
      const { length, columnBits } = t.axes[j];
      const index = (row % lengths[j]) * 2 ** columnBits + (column % 2 ** columnBits);
      row = Math.floor(row / lengths[j]);
      column = Math.floor(column / 2 ** columnBits);
      if (index >= length) position = -1;
      else if (position >= 0) position += index * strides[j];
    }
    map[slot] = position;
  }
  return map;
}
