/** What a run is trained on: rows of a file, held against what the program takes. */
import { STATE } from '../../compiler/check/optimizers/step.ts';
import { ValueError } from '../../compiler/ir/errors.ts';
import type { Tensor, TensorId } from '../../compiler/ir/tensor/program.ts';
import type { Numbers } from '../../runtime/evaluate/index.ts';
import { readTensor, weightsOf, type WeightMap, type Weights } from '../../runtime/weights.ts';
import { readSource, sourcesOf } from '../calibrate/weights.ts';
import type { TrainingModel } from './model.ts';
import { entryName, FormatError, formatShape, quote, quoteSome } from '../files/errors.ts';

/** The source of a program whose tensors the data file holds. */
export const DATA = 'data';

/** The tensor that says which targets count; where a file has none, all do. */
const MASK = 'mask';

/**
 * The tensors of a data file as a program takes them: `tokens` [M, T + 1], whole numbers below the size of the vocabulary, and
 * `mask` of the same shape, 1 where a token counts as a target. Without a mask every token but the first of a row counts.
 *
 * @param file its name in messages
 * @param tensors those that the program takes from `data`
 * @throws FormatError for a tensor that is missing or has another shape; on reading, for an entry that is no index of its type
 */
export function openData(file: string, given: Weights, tensors: readonly Tensor[]): Weights {
  const wanted = new Map(
    tensors.flatMap((t) =>
      (t.file?.names ?? []).map((name) => [name, { type: t.type, shape: t.shape.slice(t.file?.stacked) }] as const),
    ),
  );
  const isMade = (name: string): boolean =>
    name === MASK && wanted.get(name)?.type?.kind === 'index' && given.shape(name) === undefined;
  for (const [name, { shape }] of wanted) {
    if (isMade(name)) continue;
    const found = given.shape(name);
    if (found === undefined)
      throw new FormatError(
        file,
        `there is no tensor ${quote(name)} of shape ${formatShape(shape)}`,
        `it has ${quoteSome(given.names())}: save the rows under that name`,
      );
    if (found.join() !== shape.join())
      throw new FormatError(
        file,
        `${quote(name)} has the shape ${formatShape(found)}, the program takes ${formatShape(shape)}`,
        remedyOf(found, shape),
      );
  }
  return {
    names: () => wanted.keys(),
    shape: (name) => wanted.get(name)?.shape,
    read: async (name) => {
      const { shape, type } = wanted.get(name) ?? { shape: [], type: undefined };
      if (isMade(name)) return allTargets(shape);
      const values = await readTensor(given, name);
      if (type?.kind === 'index') checkIndices(file, name, shape, values, type.size);
      return values;
    },
  };
}

function remedyOf(found: readonly number[], [rows, length]: readonly number[]): string {
  if (found.length !== 2 || length === undefined || found[0] === 0 || found[1] < 2)
    return 'reshape it, or change the dimensions of the program';
  if (found[1] === length)
    return `give ${rows} rows, or import the model again with --examples ${found[0]} (or --dim M=${found[0]})`;
  return `cut or fill rows to ${length} tokens, or import the model again with --tokens ${found[1] - 1}`;
}

function allTargets(shape: readonly number[]): Float64Array {
  const length = shape.at(-1) ?? 1;
  return new Float64Array(shape.reduce((n, d) => n * d, 1)).fill(1).map((_, k) => (k % length === 0 ? 0 : 1));
}

function checkIndices(
  file: string,
  name: string,
  shape: readonly number[],
  values: ArrayLike<number>,
  size: number,
): void {
  for (let k = 0; k < values.length; k++)
    if (!(Number.isInteger(values[k]) && values[k] >= 0 && values[k] < size))
      throw new FormatError(
        file,
        `${entryName(quote(name), shape, k)} is ${values[k]}, outside index<${size}>`,
        name === MASK ? 'a mask is 0 or 1' : 'is it made by the tokenizer of this model?',
      );
}

/**
 * The numbers of every tensor that a step reads besides its state.
 * @throws ValueError for a source without weights, and for weights that are not the program's
 */
export async function readNumbers(
  { program }: TrainingModel,
  sources: ReadonlyMap<string, Weights | WeightMap>,
): Promise<Map<TensorId, Numbers>> {
  const out = new Map<TensorId, Numbers>();
  for (const [source, tensors] of sourcesOf(program)) {
    if (source === STATE) continue;
    const given = sources.get(source);
    if (given === undefined)
      throw new ValueError(`there are no weights for the source "${source}"`, {
        tensor: source,
        problem: { kind: 'missing' },
      });
    const names = tensors.flatMap((t) => t.file?.names ?? []);
    const weights = weightsOf(`weights of "${source}"`, given, names);
    // Whoever reads a file says why a tensor is not there.
    if ('read' in given) for (const name of names) if (weights.shape(name) === undefined) await weights.read(name);
    await readSource(weights, source, tensors, out);
  }
  return out;
}
