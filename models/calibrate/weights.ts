/** The numbers of a program's tensors, from the weights that it names and from the inputs of a sample. */
import { requireArray, requireInputs, requireWeights } from '../../compiler/ir/arguments.ts';
import { ArgumentError, ValueError } from '../../compiler/ir/errors.ts';
import type { Tensor, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import type { Numbers } from '../../runtime/evaluate/index.ts';
import type { WantedInput } from '../files/inputs.ts';
import type { Weights } from '../../runtime/prover/index.ts';

/** The weights of one source; its name may be left out where a program has only one. */
export interface SourceWeights {
  readonly source?: string;
  readonly weights: Weights;
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

export interface Placement {
  /** Of the tensors in the checkpoint that are read. */
  readonly names: readonly string[];
  /** @throws ValueError for another shape, and for an entry that is not finite */
  put(name: string, shape: readonly number[], values: ArrayLike<number>): void;
}

/** Where the tensors of a checkpoint go: each to the tensor of the program, or to its part of a stacked one. */
export function placeWeights(tensors: readonly Tensor[], into: Map<number, Numbers>): Placement {
  const places = new Map<string, { readonly tensor: Tensor; readonly part: number }>();
  for (const tensor of tensors)
    for (const [part, name] of (tensor.file?.names ?? []).entries()) places.set(name, { tensor, part });
  return {
    names: [...places.keys()],
    put: (name, found, values) => {
      const place = places.get(name);
      if (place === undefined) return;
      const { tensor, part } = place;
      const wanted = tensor.shape.slice(tensor.file?.stacked ?? 0);
      if (found.join() !== wanted.join() || values.length !== sizeOf(wanted))
        throw new ValueError(
          `"${name}" has the shape [${found.join(', ')}], the program declares [${wanted.join(', ')}]`,
          {
            tensor: name,
            problem: { kind: 'shape', expected: wanted, given: found },
            remedy: 'give the weights the program was written for, or change its dimensions',
          },
        );
      let bad = 0;
      while (bad < values.length && Number.isFinite(values[bad])) bad++;
      if (bad < values.length)
        throw new ValueError(`"${name}" has an entry ${values[bad]}`, {
          tensor: name,
          problem: { kind: 'number', index: indexAt(wanted, bad) },
          remedy: 'every weight has to be finite',
        });
      if (tensor.file?.stacked === 0) {
        into.set(tensor.id, compact(values));
        return;
      }
      const all = into.get(tensor.id) ?? new Float64Array(sizeOf(tensor.shape));
      all.set(values, part * values.length);
      into.set(tensor.id, all);
    },
  };
}

/** Most weights are single precision: half the memory. */
function compact(values: ArrayLike<number>): Numbers {
  const single = Float32Array.from(values);
  for (let k = 0; k < single.length; k++) if (values[k] !== single[k]) return Float64Array.from(values);
  return single;
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
export function weightsOf(
  program: TensorProgram,
  given: readonly SourceWeights[],
  unset: (source: string) => void,
): Map<number, Numbers> {
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
    const { names: wanted, put } = placeWeights(tensors, out);
    requireWeights(`weights of "${source}"`, found.weights, wanted);
    for (const name of wanted) {
      const tensor = found.weights.get(name);
      if (tensor === undefined)
        throw new ValueError(`the weights have no tensor "${name}", which the program takes from "${source}"`, {
          tensor: name,
          problem: { kind: 'missing' },
        });
      put(name, tensor.shape, tensor.values);
    }
  }
  return out;
}

/** A run of a program: values of its inputs that come from no weights, by name; of a sample of tokens, those that follow. */
export interface SampleInput {
  readonly inputs: ReadonlyMap<string, ArrayLike<number>>;
  readonly targets?: ArrayLike<number>;
}

export interface RunSample {
  readonly inputs: ReadonlyMap<string, Numbers>;
  readonly targets?: ArrayLike<number>;
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
