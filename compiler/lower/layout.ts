/**
 * How committed tensors are laid out in rows. A function of the tensors' names, shapes and types alone, so that one
 * commitment serves every program that uses the same adapter.
 */
import type { CommittedSource, CommittedTensor, LayoutAxis } from '../ir/gadget/program.ts';

export interface FileTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bits: number;
  readonly frac: number;
}

export const MIN_COLUMNS = 32;
export const MAX_COLUMNS = 8192;

/** Lays out all tensors of a source, sorted by name. Columns near the root of the entries: a row costs what a column does. */
export function layOut(name: string, tensors: readonly FileTensor[], open = false): CommittedSource {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const entries = sorted.reduce((n, t) => n + t.shape.reduce((p, d) => p * d, 1), 0);
  const columns = Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, 2 ** Math.round(Math.log2(Math.sqrt(entries)))));
  let rows = 0;
  const laid = sorted.map((t): CommittedTensor => {
    const axes = splitAxes(t.shape, Math.log2(columns));
    const own = axes.reduce((n, a) => n * Math.ceil(a.length / 2 ** a.columnBits), 1);
    const firstRow = rows;
    rows += own;
    return { name: t.name, axes, bits: t.bits, frac: t.frac, firstRow, rows: own };
  });
  return { name, ...(open ? { open } : {}), columns, rows, tensors: laid };
}

/**
 * Gives `columnBits` low digits to the columns, one at a time, each to the axis where it pads least, the last axis on a
 * tie: 8 x 768 in 512 columns is 256 of the 768 times 2 of the 8, and nothing is padded to 1024.
 */
export function splitAxes(shape: readonly number[], columnBits: number): LayoutAxis[] {
  const bits = shape.map(() => 0);
  const padded = (j: number, b: number): number => (Math.ceil(shape[j] / 2 ** b) * 2 ** b) / shape[j];
  for (let given = 0; given < columnBits; given++) {
    let best = -1;
    for (let j = shape.length - 1; j >= 0; j--) {
      if (2 ** bits[j] >= shape[j]) continue;
      const growth = (k: number): number => padded(k, bits[k] + 1) / padded(k, bits[k]);
      if (best < 0 || growth(j) < growth(best)) best = j;
    }
    if (best < 0) break;
    bits[best]++;
  }
  return shape.map((length, j) => ({ length, columnBits: bits[j] }));
}
