/**
 * What leaves a proof as a commitment: matrices whose rows travel in it. The opening of one is made once, before the proof or
 * with it, and kept: a proof that takes the tensors as a source opens the same rows, whichever attempt at the first was kept.
 */
import { ValueError } from '../../../compiler/ir/errors.ts';
import type { CommittedSource, GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import type { OpeningFile } from '../../codec/files.ts';
import type { Device } from '../../device/device.ts';
import type { Witness } from '../../evaluate/witness/witness.ts';
import type { IntegerArray } from '../../integers/arrays.ts';
import { layMatrix, type MatrixEntries } from '../../protocol/commitment/matrix.ts';
import { commitmentDigest, layoutDigest } from '../../protocol/statement/statement.ts';
import { blindingSeed, matrixDigest, rowBlindings } from './source-matrix.ts';
import { commitMatrix } from './source.ts';

export interface OpenedOutput {
  /** Row-major integers of each tensor, in the order of the layout. */
  readonly tensors: readonly IntegerArray[];
  readonly entries: MatrixEntries;
  readonly blindings: readonly bigint[];
  readonly opening: OpeningFile;
}

/** A fresh opening of a matrix, and the points that it opens. */
export async function makeOpening(
  device: Device,
  layout: CommittedSource,
  entries: MatrixEntries,
  entropy: Uint8Array,
): Promise<{ readonly opening: OpeningFile; readonly points: Uint8Array }> {
  const seed = blindingSeed(entropy, layoutDigest(layout), entries);
  const points = await commitMatrix(device, layout, entries, rowBlindings(layout, seed));
  return { opening: { commitment: commitmentDigest(layout, points), matrix: matrixDigest(entries), seed }, points };
}

/**
 * The outputs of an evaluated program, in its order. `given`: openings that were made before, by output; one is made of fresh
 * entropy for any other.
 * @throws ValueError for an opening of other numbers
 */
export async function openOutputs(
  device: Device,
  program: GadgetProgram,
  witness: Witness,
  given: ReadonlyMap<string, OpeningFile>,
  entropy: Uint8Array,
): Promise<OpenedOutput[]> {
  const opened: OpenedOutput[] = [];
  for (const [k, layout] of (program.outputs ?? []).entries()) {
    const tensors: IntegerArray[] = [];
    for (const [id, { class: c }] of program.tensors.entries())
      if (c.kind === 'committed' && c.source === program.sources.length + k) tensors[c.files[0]] = witness.entries(id);
    const entries = layMatrix(layout, tensors);
    if (given.get(layout.name)?.seed.every((b) => b === 0))
      throw new ValueError(`the opening of the output "${layout.name}" is one without blindings, which hides nothing`, {
        tensor: layout.name,
        problem: { kind: 'opening' },
      });
    const opening = given.get(layout.name) ?? (await makeOpening(device, layout, entries, entropy)).opening;
    const matrix = matrixDigest(entries);
    if (!matrix.every((b, i) => b === opening.matrix[i]))
      throw new ValueError(`the opening of the output "${layout.name}" is of other numbers than the program gives`, {
        tensor: layout.name,
        problem: { kind: 'opening' },
      });
    opened.push({ tensors, entries, blindings: rowBlindings(layout, opening.seed), opening });
  }
  return opened;
}

/** @throws ValueError where a proof's rows are not those that an opening is of: its seed or its digest is another's */
export function checkOpened(program: GadgetProgram, outputs: readonly OpenedOutput[], digests: readonly Uint8Array[]) {
  for (const [k, { opening }] of outputs.entries())
    if (!digests[k].every((b, i) => b === opening.commitment[i])) {
      const { name } = (program.outputs ?? [])[k];
      throw new ValueError(
        `the opening of the output "${name}" names another commitment than it opens: make it again`,
        {
          tensor: name,
          problem: { kind: 'opening' },
        },
      );
    }
}
