/** The matrix of a source or of an output: its tensors, each in its place, and zeros beside them. */
import type { CommittedSource, CommittedTensor } from '../../../compiler/ir/gadget/program.ts';
import { allocate, entry, type IntegerArray } from '../../integers/arrays.ts';
import { forEachRun } from './layout.ts';

/** All entries of a source's matrix, row-major, in the narrowest storage for its widest tensor. */
export type MatrixEntries = Int16Array | Int32Array | BigInt64Array;

/** Lays the tensors' row-major integers out as the source's matrix. */
export function layMatrix(source: CommittedSource, tensors: readonly IntegerArray[]): MatrixEntries {
  const out = emptyRows(source, source.rows);
  for (const [k, t] of source.tensors.entries()) layTensor(source, t, tensors[k], out);
  return out;
}

/** So many of a source's rows, with zeros in them. */
export function emptyRows(source: CommittedSource, rows: number): MatrixEntries {
  const bits = Math.max(...source.tensors.map((t) => t.bits));
  const half = 2n ** BigInt(bits - 1);
  return allocate({ lo: -half, hi: half - 1n }, rows * source.columns) as MatrixEntries;
}

/**
 * Lays one of the source's tensors out in rows of its matrix, of which `out` begins with the row `firstRow`.
 *
 * @param row what the tensor has in this row alone, if anything
 */
export function layTensor(
  { columns }: CommittedSource,
  t: CommittedTensor,
  values: IntegerArray,
  out: MatrixEntries,
  firstRow = 0,
  row?: number,
): void {
  if (row !== undefined && (row < t.firstRow || row >= t.firstRow + t.rows)) return;
  const first = (t.firstRow - firstRow) * columns + (t.firstColumn ?? 0);
  const own = row === undefined ? undefined : row - t.firstRow;
  forEachRun(
    t,
    columns,
    (slot, position, count) => {
      if (out.constructor === values.constructor && count > 8) {
        out.set((values as Int16Array).subarray(position, position + count) as never, first + slot);
        return;
      }
      for (let i = 0; i < count; i++)
        if (out instanceof BigInt64Array) out[first + slot + i] = entry(values, position + i);
        else out[first + slot + i] = Number(values[position + i]);
    },
    own,
  );
}
