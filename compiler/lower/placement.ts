/** Where witness tensors lie in the proof's own matrix, and how many columns it has. */
import { splitAxes } from './layout.ts';
import type { MutableTensor } from './builder.ts';

const leastColumns = 32;
const mostColumns = 8192;

/**
 * A row of the proof costs its verifier what about eight columns cost. `least`: columns that the proof has anyway.
 */
export function chooseColumns(tensors: readonly MutableTensor[], least: number): number {
  const entries = tensors
    .filter((t) => t.class.kind === 'witness')
    .reduce((n, t) => n + t.shape.reduce((p, d) => p * d, 1), 0);
  const wanted = entries === 0 ? leastColumns : 2 ** Math.round(Math.log2(Math.sqrt(8 * entries)));
  return Math.max(least, Math.min(mostColumns, Math.max(leastColumns, wanted)));
}

/** Gives every witness tensor its place; returns the number of rows. */
export function placeWitnesses(tensors: readonly MutableTensor[], columns: number): number {
  const columnBits = Math.log2(columns);
  let rows = 0;
  const small: { t: MutableTensor; axes: ReturnType<typeof splitAxes>; used: number }[] = [];
  for (const t of tensors) {
    if (t.class.kind !== 'witness') continue;
    const axes = splitAxes(t.shape, columnBits);
    const used = axes.reduce((n, a) => n + a.columnBits, 0);
    const own = axes.reduce((n, a) => n * Math.ceil(a.length / 2 ** a.columnBits), 1);
    if (own === 1 && used < columnBits) {
      small.push({ t, axes, used });
      continue;
    }
    t.class = { kind: 'witness', axes, firstRow: rows, rows: own, firstColumn: 0 };
    rows += own;
  }
  // Largest first: every block then starts at a multiple of its size.
  small.sort((a, b) => b.used - a.used);
  let column = columns;
  for (const { t, axes, used } of small) {
    if (column + 2 ** used > columns) {
      rows++;
      column = 0;
    }
    t.class = { kind: 'witness', axes, firstRow: rows - 1, rows: 1, firstColumn: column };
    column += 2 ** used;
  }
  return rows;
}
