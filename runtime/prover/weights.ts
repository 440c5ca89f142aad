/** Weights as a source's integers: all of them, or some rows of the matrix at a time. */
import { ValueError } from '../../compiler/ir/errors.ts';
import type { CommittedSource, CommittedTensor } from '../../compiler/ir/gadget/program.ts';
import type { IntegerArray } from '../integers/arrays.ts';
import { quantise } from '../integers/quantise.ts';
import { readTensor, shapeOf, weightsOf, type WeightMap, type Weights } from '../weights.ts';
import { emptyRows, layTensor, type MatrixEntries } from './commitment/source-matrix.ts';

/** Entries that are laid out together at least, where there are as many: devices like long vectors. */
const LEAST = 2 ** 24;

/** Rows of a source's matrix, from `firstRow` on. */
export interface Stretch {
  readonly firstRow: number;
  readonly entries: MatrixEntries;
}

/** @throws ArgumentError for what is no weights, ValueError where a tensor is missing or has another shape */
export function openWeights(source: CommittedSource, given: Weights | WeightMap): Weights {
  const names = source.tensors.map((t) => t.name);
  const weights = weightsOf('weights', given, names);
  for (const t of source.tensors) {
    const [found, expected] = [shapeOf(weights, source.name, t.name), lengthsOf(t)];
    if (found.join() !== expected.join())
      throw new ValueError(
        `"${t.name}" has shape [${found.join(', ')}] in the weights, the program declares [${expected.join(', ')}]`,
        { tensor: t.name, problem: { kind: 'shape', expected, given: found } },
      );
  }
  return weights;
}

const lengthsOf = (t: CommittedTensor): number[] => t.axes.map((a) => a.length);

/**
 * The whole matrix of a source in parts, in the order of its rows, each of whole tensors. A part is read when it is asked for, one
 * tensor after the other.
 *
 * @param least entries of a part, but for the last
 * @throws ValueError
 */
export async function* stretches(
  source: CommittedSource,
  weights: Weights,
  least = LEAST,
): AsyncGenerator<Stretch, void, undefined> {
  for (const part of parts(source, least)) yield await layPart(source, part, weights);
}

interface Part {
  readonly firstRow: number;
  readonly rows: number;
  readonly tensors: readonly CommittedTensor[];
}

async function layPart(source: CommittedSource, { firstRow, rows, tensors }: Part, weights: Weights): Promise<Stretch> {
  const entries = emptyRows(source, rows);
  for (const t of tensors) layTensor(source, t, await integersOf(t, weights), entries, firstRow);
  return { firstRow, entries };
}

function parts(source: CommittedSource, least: number): Part[] {
  const ordered = [...source.tensors].sort((a, b) => a.firstRow - b.firstRow);
  const out: Part[] = [];
  let [firstRow, tensors]: [number, CommittedTensor[]] = [0, []];
  for (const [k, t] of ordered.entries()) {
    tensors.push(t);
    const end = ordered.at(k + 1)?.firstRow ?? source.rows;
    if ((end - firstRow) * source.columns < least && end < source.rows) continue;
    out.push({ firstRow, rows: end - firstRow, tensors });
    [firstRow, tensors] = [end, []];
  }
  return out;
}

/** All tensors of a source, and their matrix. @param secret whether errors must not say the numbers */
export async function layWeights(
  source: CommittedSource,
  weights: Weights,
  secret = false,
): Promise<{ readonly tensors: readonly IntegerArray[]; readonly entries: MatrixEntries }> {
  const entries = emptyRows(source, source.rows);
  const tensors: IntegerArray[] = [];
  for (const t of source.tensors) {
    const integers = await integersOf(t, weights, secret);
    layTensor(source, t, integers, entries);
    tensors.push(integers);
  }
  return { tensors, entries };
}

/** The floats are forgotten when it returns. */
const integersOf = async (t: CommittedTensor, weights: Weights, secret = false): Promise<IntegerArray> =>
  quantise(
    t.name,
    lengthsOf(t),
    { kind: 'fixed', bits: t.bits, frac: t.frac },
    await readTensor(weights, t.name),
    secret,
  );
