/** The matrix of a source or of an output: its tensors, each in its place, and zeros beside them. */
import type { CommittedSource, CommittedTensor } from '../../../compiler/ir/gadget/program.ts';
import { allocate, entry, type IntegerArray } from '../../integers/arrays.ts';
import { forEachRun, forEachRunOfRow } from './layout.ts';

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

/** Lays one of the source's tensors out in rows of its matrix, of which `out` begins with the row `firstRow`. */
export function layTensor(
  { columns }: CommittedSource,
  t: CommittedTensor,
  values: IntegerArray,
  out: MatrixEntries,
  firstRow = 0,
): void {
  const first = (t.firstRow - firstRow) * columns + (t.firstColumn ?? 0);
  forEachRun(t, columns, (slot, position, count) => copyRun(values, position, count, out, first + slot));
}

/** Lays what one of the source's tensors has in one row of its matrix out in a row of `out`. */
export function layRow(
  { columns }: CommittedSource,
  t: CommittedTensor,
  values: IntegerArray,
  row: number,
  out: MatrixEntries,
  at: number,
): void {
  if (row < t.firstRow || row >= t.firstRow + t.rows) return;
  const first = at * columns + (t.firstColumn ?? 0);
  forEachRunOfRow(t, row - t.firstRow, (slot, position, count) => copyRun(values, position, count, out, first + slot));
}

function copyRun(values: IntegerArray, position: number, count: number, out: MatrixEntries, slot: number): void {
  if (out.constructor === values.constructor && count > 8) {
    out.set((values as Int16Array).subarray(position, position + count) as never, slot);
    return;
  }
  for (let i = 0; i < count; i++)
    if (out instanceof BigInt64Array) out[slot + i] = entry(values, position + i);
    else out[slot + i] = Number(values[position + i]);
}
