/** Commits to rows of a source's matrix: to those of a secret one with a range proof, to those of an open one without. */
import { concatBytes } from '@noble/hashes/utils.js';
import type { CommittedSource } from '../../../compiler/ir/gadget/program.ts';
import type { Device } from '../../device/device.ts';
import { rangeColumns } from '../../protocol/commitment/range-proof.ts';
import { commitmentDigest } from '../../protocol/statement/statement.ts';
import type { ProverHooks } from '../argument.ts';
import { proveSourceRange } from './range-proof.ts';
import { matrixOn } from './rows.ts';
import type { MatrixEntries } from '../../protocol/commitment/matrix.ts';

export interface Commitment {
  /** One compressed point of 48 bytes per row. */
  readonly points: Uint8Array;
  readonly rangeProof: Uint8Array;
}

/** The points of rows of an open source: without blindings, so that everybody gets the same for the same numbers. */
export const commitOpen = (device: Device, source: CommittedSource, entries: MatrixEntries): Promise<Uint8Array> =>
  commitMatrix(
    device,
    source,
    entries,
    Array.from({ length: entries.length / source.columns }, () => 0n),
  );

/** The points of rows, each with its blinding, and nothing that shows what they are. */
export async function commitMatrix(
  device: Device,
  { columns }: Pick<CommittedSource, 'columns'>,
  entries: MatrixEntries,
  blindings: readonly bigint[],
): Promise<Uint8Array> {
  return device.scope(async () => {
    await device.prepareGenerators(columns + 1);
    const vector = device.intVector(entries);
    return concatBytes(
      ...(await device.commit(
        blindings.map((blinding, i) => ({ vector, offset: i * columns, length: columns, blinding })),
      )),
    );
  });
}

export async function commitSource(
  device: Device,
  source: CommittedSource,
  entries: MatrixEntries,
  blindings: readonly bigint[],
  entropy: Uint8Array,
  hooks?: ProverHooks,
  treeMemory?: number,
): Promise<Commitment> {
  return device.scope(async () => {
    await device.prepareGenerators(rangeColumns(source) + 1);
    const vector = device.intVector(entries);
    const shape = { rows: source.rows, columns: source.columns, blindings };
    const registered = matrixOn(device, shape, () => vector);
    const rows = await device.commit(
      blindings.map((blinding, i) => ({ vector, offset: i * source.columns, length: source.columns, blinding })),
    );
    const points = new Uint8Array(48 * rows.length);
    for (const [i, p] of rows.entries()) points.set(p, 48 * i);

    const digest = commitmentDigest(source, points);
    const rangeProof = await proveSourceRange(device, source, digest, registered, entries, entropy, hooks, treeMemory);
    return { points, rangeProof };
  });
}
