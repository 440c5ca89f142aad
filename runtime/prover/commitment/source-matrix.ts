/** A source's matrix as its owner has it: its entries, a digest of them, and the blindings of its rows. */
import type { CommittedSource, CommittedTensor } from '../../../compiler/ir/gadget/program.ts';
import { forEachRun } from '../../protocol/commitment/layout.ts';
import { allocate, entry, type IntegerArray } from '../../integers/arrays.ts';
import { sha256 } from '../../protocol/statement/statement.ts';
import { Randomness } from '../randomness.ts';

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
  const first = (t.firstRow - firstRow) * columns;
  forEachRun(t, columns, (slot, position, count) => {
    if (out.constructor === values.constructor && count > 8) {
      out.set((values as Int16Array).subarray(position, position + count) as never, first + slot);
      return;
    }
    for (let i = 0; i < count; i++)
      if (out instanceof BigInt64Array) out[first + slot + i] = entry(values, position + i);
      else out[first + slot + i] = Number(values[position + i]);
  });
}

/** The blindings of a source's rows, from the seed that the opening file keeps. */
export const rowBlindings = (source: CommittedSource, seed: Uint8Array): bigint[] =>
  new Randomness('row blindings', seed).scalars(source.rows);

/** What binds an opening to the weights it was made for. */
export const matrixDigest = (entries: MatrixEntries): Uint8Array => sha256(bytesOf(entries));

/** As a digest takes them: of a matrix in parts, in the order of its rows. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: MatrixEntries): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** A seed for `rowBlindings`: depends on the entropy, the layout and the content, so that no two matrices share one. */
export const blindingSeed = (entropy: Uint8Array, layout: Uint8Array, entries: MatrixEntries): Uint8Array =>
  new Randomness('blinding seed', entropy, layout, matrixDigest(entries)).bytes(32);
