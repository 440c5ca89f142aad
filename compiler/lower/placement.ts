/** Where witness tensors lie in the proof's own matrix, and how many columns it has. */
import type { GadgetTensor, WitnessPlace } from '../ir/gadget/program.ts';
import type { DraftTensor, UnplacedClass } from './draft.ts';
import { size } from './expressions.ts';
import { placeInRows, stateColumns } from './layout.ts';

type Unplaced = DraftTensor<UnplacedClass>;

/** `least`: columns that the proof has anyway. */
export function chooseColumns(tensors: readonly Unplaced[], least: number): number {
  const entries = tensors.filter((t) => t.class.kind === 'witness').reduce((n, t) => n + size(t.shape), 0);
  return Math.max(least, stateColumns(entries));
}

/** The tensors, every witness in its place, and the number of rows. */
export function placeWitnesses(
  tensors: readonly Unplaced[],
  columns: number,
): { readonly tensors: readonly GadgetTensor[]; readonly rows: number } {
  const witnesses = tensors.flatMap((t, id) => (t.class.kind === 'witness' ? [id] : []));
  const { places, rows } = placeInRows(
    witnesses.map((id) => tensors[id].shape),
    columns,
  );
  const placeOf = new Map(witnesses.map((id, k) => [id, places[k]] as const));
  return { tensors: tensors.map((t, id) => placed(t, placeOf.get(id))), rows };
}

function placed({ class: c, ...t }: Unplaced, place: WitnessPlace | undefined): GadgetTensor {
  if (c.kind !== 'witness') return { ...t, class: c };
  if (!place) throw new Error(`internal error: ${t.name} has no place`);
  return { ...t, class: { kind: 'witness', ...place } };
}
