/** Commitments to numbers that everybody knows: rows without blindings, recomputed. */
import { requireObject } from '../../../compiler/ir/arguments.ts';
import { ValueError } from '../../../compiler/ir/errors.ts';
import type { CommittedSource } from '../../../compiler/ir/gadget/program.ts';
import type { VerifierDevice } from '../../device/device.ts';
import { quantise } from '../../integers/quantise.ts';
import { layMatrix, type MatrixEntries } from '../../protocol/commitment/matrix.ts';
import { reduce } from '../../protocol/scalar.ts';

/** @throws ValueError for a tensor that is missing, not the source's, of another size or not in its type */
export function knownMatrix(source: CommittedSource, given: ReadonlyMap<string, ArrayLike<number>>): MatrixEntries {
  requireObject('tensors', given, 'a map of numbers by name');
  const names = source.tensors.map((t) => t.name);
  for (const name of given.keys())
    if (!names.includes(name))
      throw new ValueError(`"${source.name}" has no tensor "${name}"; it has ${names.join(', ')}`, {
        tensor: name,
        problem: { kind: 'unknown', known: names },
      });
  return layMatrix(
    source,
    source.tensors.map(({ name, axes, bits, frac }) => {
      const values = given.get(name);
      if (values === undefined)
        throw new ValueError(`the tensor "${name}" of "${source.name}" is missing`, {
          tensor: name,
          problem: { kind: 'missing' },
        });
      const shape = axes.map((a) => a.length);
      return quantise(name, shape, { kind: 'fixed', bits, frac }, values);
    }),
  );
}

/** The rows' points. */
export async function knownPoints(
  device: VerifierDevice,
  { columns, rows }: CommittedSource,
  entries: MatrixEntries,
): Promise<Uint8Array> {
  const points = new Uint8Array(48 * rows);
  for (let i = 0; i < rows; i++) {
    const row = Array.from(entries.subarray(i * columns, (i + 1) * columns) as ArrayLike<number | bigint>, (v) =>
      reduce(BigInt(v)),
    );
    points.set(
      await device.scope(async () =>
        device.msm([{ points: await device.generators(columns), scalars: device.frVector([...row, 0n]) }]),
      ),
      48 * i,
    );
  }
  return points;
}
