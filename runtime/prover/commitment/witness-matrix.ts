/** The matrix of the witness tensors, every one in its place. */
import type { GadgetProgram, WitnessPlace } from '../../../compiler/ir/gadget/program.ts';
import { forEachRun } from '../../protocol/commitment/layout.ts';
import type { MatrixShape } from '../../protocol/commitment/hyrax.ts';
import type { LookedUp } from '../lookup/tensor-lookups.ts';
import { isSmall, type ComputedIntegers } from '../../integers/arrays.ts';
import type { Witness } from '../../evaluate/witness/witness.ts';

/** Runs below this are copied entry by entry. */
const SHORT = 16;

/**
 * Entries of the matrix of witness tensors, if there is one, row-major. Values outside 32 bits have no place in it: wide ones
 * travel as limbs.
 */
export const ownEntries = (program: GadgetProgram, witness: Witness, looked: LookedUp): Int32Array[] =>
  program.witnessRows > 0
    ? [witnessMatrix(program, { rows: program.witnessRows, columns: program.columns }, witness, looked)]
    : [];

function witnessMatrix(
  program: GadgetProgram,
  { rows, columns }: MatrixShape,
  witness: Witness,
  looked: LookedUp,
): Int32Array {
  const out = new Int32Array(rows * columns);
  const multiplicities = new Map(program.tables.map((t, i) => [t.multiplicities, looked.multiplicities[i]] as const));
  for (const [id, { class: c }] of program.tensors.entries())
    if (c.kind === 'witness') writeTensor(out, columns, c, multiplicities.get(id) ?? witness.numbers(id));
  return out;
}

function writeTensor(out: Int32Array, columns: number, c: WitnessPlace, values: ComputedIntegers): void {
  const first = c.firstRow * columns + c.firstColumn;
  const small = isSmall(values) ? values : undefined;
  forEachRun(c, columns, (slot, position, count) => {
    if (small && count >= SHORT) out.set(small.subarray(position, position + count), first + slot);
    else for (let i = 0; i < count; i++) out[first + slot + i] = Number(values[position + i]);
  });
}
