/** Where witness tensors lie in the proof's own matrix, and how many columns it has. */
import type { GadgetTensor, WitnessPlace } from '../ir/gadget/program.ts';
import type { DraftTensor, UnplacedClass } from './draft.ts';
import { size } from './expressions.ts';
import { splitAxes, MAX_COLUMNS, MIN_COLUMNS } from './layout.ts';

type Unplaced = DraftTensor<UnplacedClass>;

/**
 * A row of the proof costs its verifier what about eight columns cost. `least`: columns that the proof has anyway.
 */
export function chooseColumns(tensors: readonly Unplaced[], least: number): number {
  const entries = tensors.filter((t) => t.class.kind === 'witness').reduce((n, t) => n + size(t.shape), 0);
  const wanted = entries === 0 ? MIN_COLUMNS : 2 ** Math.round(Math.log2(Math.sqrt(8 * entries)));
  return Math.max(least, Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, wanted)));
}

/** The tensors, every witness in its place, and the number of rows. */
export function placeWitnesses(
  tensors: readonly Unplaced[],
  columns: number,
): { readonly tensors: readonly GadgetTensor[]; readonly rows: number } {
  const columnBits = Math.log2(columns);
  const places = new Map<number, WitnessPlace>();
  let rows = 0;
  const small: { id: number; axes: WitnessPlace['axes']; used: number }[] = [];
  for (const [id, t] of tensors.entries()) {
    if (t.class.kind !== 'witness') continue;
    const axes = splitAxes(t.shape, columnBits);
    const used = axes.reduce((n, a) => n + a.columnBits, 0);
    const own = axes.reduce((n, a) => n * Math.ceil(a.length / 2 ** a.columnBits), 1);
    if (own === 1 && used < columnBits) {
      small.push({ id, axes, used });
      continue;
    }
    places.set(id, { axes, firstRow: rows, rows: own, firstColumn: 0 });
    rows += own;
  }
  // Largest first: every block then starts at a multiple of its size.
  small.sort((a, b) => b.used - a.used);
  let column = columns;
  for (const { id, axes, used } of small) {
    if (column + 2 ** used > columns) {
      rows++;
      column = 0;
    }
    places.set(id, { axes, firstRow: rows - 1, rows: 1, firstColumn: column });
    column += 2 ** used;
  }
  return { tensors: tensors.map((t, id) => placed(t, places.get(id))), rows };
}

function placed({ class: c, ...t }: Unplaced, place: WitnessPlace | undefined): GadgetTensor {
  if (c.kind !== 'witness') return { ...t, class: c };
  if (!place) throw new Error(`internal error: ${t.name} has no place`);
  return { ...t, class: { kind: 'witness', ...place } };
}
