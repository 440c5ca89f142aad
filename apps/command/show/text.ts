/** Numbers and tables for people. */
import { shown } from './terminal.ts';

export { bytes, count, plural, real } from '../../../compiler/ir/words.ts';

/** Rows as left-aligned columns, two spaces apart; a cell is one line, whatever is in it. */
export function columns(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(shown));
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds < 10 ? milliseconds.toPrecision(2) : milliseconds.toFixed(0)} ms`;
  if (milliseconds < 120_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${(milliseconds / 60_000).toFixed(1)} min`;
}

export const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

export const shape = (lengths: readonly number[]): string => `[${lengths.join(', ')}]`;
