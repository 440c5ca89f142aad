/** The numbers of a program's tensors, from the weights that it names and from the inputs of a sample. */
import { requireArray, requireInputs } from '../../compiler/ir/arguments.ts';
import { ArgumentError, ValueError } from '../../compiler/ir/errors.ts';
import type { Tensor, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import type { Numbers } from '../../runtime/evaluate/index.ts';
import type { WantedInput } from '../files/inputs.ts';
import { readTensor, shapeOf, weightsOf, type WeightMap, type Weights } from '../../runtime/weights.ts';

/** The weights of one source; its name may be left out where a program has only one. */
export interface SourceWeights {
  readonly source?: string;
  readonly weights: Weights | WeightMap;
}

/** The program's inputs that come from no weights. */
export const wantedInputs = (program: TensorProgram): (WantedInput & { readonly id: number })[] =>
  program.tensors.flatMap(({ id, name, shape, type, role, file }) =>
    role === 'input' && file === undefined && type !== undefined ? [{ id, name, shape, type }] : [],
  );

/** The tensors that come from weights, by their source. */
export const sourcesOf = (program: TensorProgram): Map<string, Tensor[]> =>
  Map.groupBy(
    program.tensors.filter((t) => t.file !== undefined),
    (t) => t.file?.source ?? '',
  );

/**
 * Reads the tensors of one source, one after the other, each to its place: the tensor of the program, or its part of a stacked one.
 *
 * @param into by tensor of the program
 * @throws ValueError where one is missing or has another shape, and for an entry that is not finite
 */
export async function readSource(
  weights: Weights,
  source: string,
  tensors: readonly Tensor[],
  into: Map<number, Numbers>,
): Promise<void> {
  for (const tensor of tensors)
    for (const [part, name] of (tensor.file?.names ?? []).entries())
      put(tensor, part, name, shapeOf(weights, source, name), await readTensor(weights, name), into);
}

function put(
  tensor: Tensor,
  part: number,
  name: string,
  found: readonly number[],
  values: ArrayLike<number>,
  into: Map<number, Numbers>,
): void {
  const stacked = tensor.file?.stacked ?? 0;
  const wanted = tensor.shape.slice(stacked);
  if (found.join() !== wanted.join() || values.length !== sizeOf(wanted))
    throw new ValueError(`"${name}" has the shape [${found.join(', ')}], the program declares [${wanted.join(', ')}]`, {
      tensor: name,
      problem: { kind: 'shape', expected: wanted, given: found },
      remedy: 'give the weights the program was written for, or change its dimensions',
    });
  let bad = 0;
  while (bad < values.length && Number.isFinite(values[bad])) bad++;
  if (bad < values.length)
    throw new ValueError(`"${name}" has an entry ${values[bad]}`, {
      tensor: name,
      problem: { kind: 'number', index: indexAt(wanted, bad) },
      remedy: 'every weight has to be finite',
    });
  if (stacked === 0) {
    into.set(tensor.id, isSingle(values) ? Float32Array.from(values) : Float64Array.from(values));
    return;
  }
  let all = into.get(tensor.id) ?? new Float32Array(sizeOf(tensor.shape));
  if (all instanceof Float32Array && !isSingle(values)) all = Float64Array.from(all);
  all.set(values, part * values.length);
  into.set(tensor.id, all);
}

/** Most weights are single precision: half the memory. */
function isSingle(values: ArrayLike<number>): boolean {
  for (let k = 0; k < values.length; k++) if (Math.fround(values[k]) !== values[k]) return false;
  return true;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

function indexAt(shape: readonly number[], position: number): number[] {
  const index: number[] = [];
  for (const length of [...shape].reverse()) {
    index.unshift(position % length);
    position = Math.floor(position / length);
  }
  return index;
}

/** A secret source without weights: an adapter that adds nothing. */
export function zeros(tensors: readonly Tensor[], into: Map<number, Numbers>): void {
  for (const t of tensors) into.set(t.id, new Float64Array(sizeOf(t.shape)));
}

/**
 * The numbers of every tensor that comes from weights. A secret source for which none are given counts as all zeros.
 * @param unset told of each such source
 * @throws ValueError, ArgumentError
 */
export async function readSources(
  program: TensorProgram,
  given: readonly SourceWeights[],
  unset: (source: string) => void,
): Promise<Map<number, Numbers>> {
  const sources = sourcesOf(program);
  const names = [...sources.keys()];
  requireArray('input.weights', given, '{ source, weights }');
  for (const { source } of given)
    if (source === undefined ? names.length !== 1 : !names.includes(source))
      throw new ValueError(`the program takes no tensors from "${source ?? ''}"; its sources: ${names.join(', ')}`, {
        tensor: source,
        problem: { kind: 'unknown', known: names },
      });
  const out = new Map<number, Numbers>();
  for (const [source, tensors] of sources) {
    const found = given.find((g) => g.source === source || g.source === undefined);
    if (found === undefined) {
      if (!tensors.every((t) => t.visibility === 'secret'))
        throw new ValueError(`there are no weights for the source "${source}"`, {
          tensor: source,
          problem: { kind: 'missing' },
        });
      unset(source);
      zeros(tensors, out);
      continue;
    }
    const wanted = tensors.flatMap((t) => t.file?.names ?? []);
    await readSource(weightsOf(`weights of "${source}"`, found.weights, wanted), source, tensors, out);
  }
  return out;
}

/** A run of a program: values of its inputs that come from no weights, by name; of a sample of tokens, those that follow. */
export interface SampleInput {
  readonly inputs: ReadonlyMap<string, ArrayLike<number>>;
  readonly targets?: ArrayLike<number>;
  /** Of a text that is filled up: its tokens. What follows them does not count. */
  readonly length?: number;
}

export interface RunSample {
  readonly inputs: ReadonlyMap<string, Numbers>;
  readonly targets?: ArrayLike<number>;
  readonly length?: number;
}

/** @throws ValueError for inputs that the program does not have, ArgumentError */
export function samplesOf(program: TensorProgram, samples: readonly SampleInput[]): RunSample[] {
  requireArray('input.samples', samples, '{ inputs }');
  if (samples.length === 0) throw new ArgumentError('input.samples', 'at least one sample', 'none');
  const known = wantedInputs(program).map((w) => w.name);
  return samples.map((sample, k) => {
    requireInputs(`input.samples[${k}].inputs`, (sample as Partial<SampleInput> | undefined)?.inputs);
    for (const name of sample.inputs.keys())
      if (!known.includes(name))
        throw new ValueError(`the program has no input "${name}"; it has ${known.join(', ') || 'none'}`, {
          tensor: name,
          problem: { kind: 'unknown', known },
        });
    const inputs = new Map([...sample.inputs].map(([name, values]) => [name, Float64Array.from(values)] as const));
    return { ...sample, inputs };
  });
}

/** The inputs of a run: weights, and the sample's tensors. */
export function withInputs(
  program: TensorProgram,
  weights: ReadonlyMap<number, Numbers>,
  inputs: ReadonlyMap<string, Numbers>,
): Map<number, Numbers> {
  const all = new Map(weights);
  for (const { id, name } of program.tensors) {
    const values = inputs.get(name);
    if (values !== undefined) all.set(id, values);
  }
  return all;
}
