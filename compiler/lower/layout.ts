/**
 * How committed tensors are laid out in rows. A function of the tensors' names, shapes and types alone, so that one
 * commitment serves every program that uses the same adapter, and what one program puts out is what another takes.
 */
import type { CommittedSource, CommittedTensor, LayoutAxis, WitnessPlace } from '../ir/gadget/program.ts';

export interface FileTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bits: number;
  readonly frac: number;
}

const MIN_COLUMNS = 32;
const MAX_COLUMNS = 8192;

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
 * Lays out a state: the tensors of one output, or of a source that takes another program's. Their rows travel in proofs, so
 * columns are near the root of eight times the entries, as for a proof's own rows, and tensors that fill less than a row
 * share rows. Only those of one type do: all of a row is in one range. Tensors stand in the order of their rows: by type,
 * then those of whole rows by name, then the small ones by size and name.
 */
export function layOutState(name: string, tensors: readonly FileTensor[]): CommittedSource {
  const columns = stateColumns(tensors.reduce((n, t) => n + t.shape.reduce((p, d) => p * d, 1), 0));
  const sorted = [...tensors].sort((a, b) => b.bits - a.bits || b.frac - a.frac || (a.name < b.name ? -1 : 1));
  const laid: CommittedTensor[] = [];
  let rows = 0;
  for (const own of Map.groupBy(sorted, (t) => `${t.bits}, ${t.frac}`).values()) {
    const placed = placeInRows(
      own.map((t) => t.shape),
      columns,
    );
    for (const k of placed.order) {
      const { name, bits, frac } = own[k];
      const { axes, firstRow, rows: count, firstColumn } = placed.places[k];
      const block = firstColumn === 0 ? {} : { firstColumn };
      laid.push({ name, axes, bits, frac, firstRow: rows + firstRow, rows: count, ...block });
    }
    rows += placed.rows;
  }
  return { name, columns, rows, tensors: laid };
}

/** Columns for rows of so many entries that a verifier gets with each proof: a row costs it what about eight columns do. */
export const stateColumns = (entries: number): number =>
  Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, entries === 0 ? 0 : 2 ** Math.round(Math.log2(Math.sqrt(8 * entries)))));

/** Places of tensors in rows that small ones share, in the order of the places, and the number of rows. */
export function placeInRows(
  shapes: readonly (readonly number[])[],
  columns: number,
): { readonly places: readonly WitnessPlace[]; readonly order: readonly number[]; readonly rows: number } {
  const columnBits = Math.log2(columns);
  const places: WitnessPlace[] = [];
  const order: number[] = [];
  const small: { k: number; axes: WitnessPlace['axes']; used: number }[] = [];
  let rows = 0;
  for (const [k, shape] of shapes.entries()) {
    const axes = splitAxes(shape, columnBits);
    const used = axes.reduce((n, a) => n + a.columnBits, 0);
    const own = axes.reduce((n, a) => n * Math.ceil(a.length / 2 ** a.columnBits), 1);
    if (own === 1 && used < columnBits) {
      small.push({ k, axes, used });
      continue;
    }
    places[k] = { axes, firstRow: rows, rows: own, firstColumn: 0 };
    order.push(k);
    rows += own;
  }
  // Largest first: every block then starts at a multiple of its size.
  small.sort((a, b) => b.used - a.used);
  let column = columns;
  for (const { k, axes, used } of small) {
    if (column + 2 ** used > columns) {
      rows++;
      column = 0;
    }
    places[k] = { axes, firstRow: rows - 1, rows: 1, firstColumn: column };
    order.push(k);
    column += 2 ** used;
  }
  return { places, order, rows };
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
