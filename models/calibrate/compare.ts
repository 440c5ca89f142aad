/** How far a program's integers are from float64 without roundings, over samples: what `zkl compare` does. */
import { ValueError } from '../../compiler/ir/errors.ts';
import type { FixedType } from '../../compiler/check/index.ts';
import type { TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { createComparison, crossEntropy, largest, toReals, type TensorError } from '../../runtime/evaluate/compare.ts';
import { evaluateExactly, evaluateReal, type Numbers, type Values } from '../../runtime/evaluate/index.ts';
import type { Reference } from './samples.ts';
import { quantise } from '../../runtime/integers/quantise.ts';
import { modelOf, type ModelInput } from './model.ts';
import { plural } from '../../compiler/ir/words.ts';
import { runAtOnce, type RunPhase } from '../phases.ts';
import { readSources, samplesOf, withInputs, type RunSample, type SampleInput, type SourceWeights } from './weights.ts';

export interface CompareInput extends ModelInput {
  /** Types by calibration key, as `calibrate` gives them. */
  readonly calibration?: Readonly<Record<string, FixedType>>;
  /** Of each source. A secret one that is left out counts as zeros. */
  readonly weights?: readonly SourceWeights[];
  readonly samples: readonly SampleInput[];
  /** The tensor of scores by position and token; default `logits`, where there is one. */
  readonly logits?: string;
  /** What other software made of the samples. */
  readonly reference?: Reference;
}

/** Means over the samples. */
export interface Scores {
  /** Positions, of those of all samples, at which both have the same most likely token. */
  readonly agreement?: number;
  /** The same, with the reference's logits. */
  readonly referenceAgreement?: number;
  /** The largest difference of a float64 logit from the reference's. */
  readonly referenceError?: number;
  /** In nats, of the integers, of float64 and of the reference. */
  readonly crossEntropy?: number;
  readonly floatCrossEntropy?: number;
  readonly referenceCrossEntropy?: number;
}

export interface Compared {
  /** Every rounded tensor and every output, in the order of the program. */
  readonly tensors: readonly TensorError[];
  /** Of programs with logits. */
  readonly scores: Scores;
  /** How many positions of tokens were compared. */
  readonly positions: number;
  /** Sources that were taken as zeros. */
  readonly zeros: readonly string[];
}

/**
 * Runs samples in integers and in float64.
 *
 * @throws ProgramError for a program that cannot be run; ValueError for weights and samples that do not fit it or that its types do not
 *   hold (EvaluationError: a computed value, with the key of its scale); ArgumentError
 */
export async function compare(input: CompareInput): Promise<Compared> {
  const program = modelOf(input, { calibration: input.calibration });
  const zeros: string[] = [];
  const weights = await readSources(program, input.weights ?? [], (source) => zeros.push(source));
  const logits = logitsOf(program, input.logits);
  const samples = samplesOf(program, input.samples);
  return { ...(await compareRuns(program, weights, samples, { logits, reference: input.reference })), zeros };
}

/** The tensor of scores of a program. */
export interface Logits {
  readonly id: number;
  readonly scale: { readonly num: bigint; readonly den: bigint };
  /** Positions, tokens. */
  readonly shape: readonly [number, number];
}

/** The scores of all tokens at all positions: by name, else the tensor called "logits". @throws ValueError */
export function logitsOf(program: TensorProgram, name: string | undefined): Logits | undefined {
  const found = program.tensors.find((t) => t.name === (name ?? 'logits'));
  if (name !== undefined && found?.shape.length !== 2)
    throw new ValueError(
      found === undefined ? `the program has no tensor "${name}"` : `"${name}" has ${found.shape.length} axes`,
      { tensor: name, remedy: 'name the tensor of scores, by position and token' },
    );
  if (found?.shape.length !== 2) return undefined;
  return { id: found.id, scale: found.scale, shape: [found.shape[0], found.shape[1]] };
}

export interface CompareOptions {
  readonly logits: Logits | undefined;
  readonly reference: Reference | undefined;
  readonly phase?: RunPhase;
}

/** As `compare`, where program, weights and samples were read before. */
export async function compareRuns(
  program: TensorProgram,
  weights: ReadonlyMap<number, Numbers>,
  samples: readonly RunSample[],
  { logits, reference, phase = runAtOnce }: CompareOptions,
): Promise<Omit<Compared, 'zeros'>> {
  const integers = await phase('round weights', () => quantiseAll(program, (id) => weights.get(id)));
  const comparison = createComparison(program);
  const scores = createScores(reference);
  await phase(`run ${plural(samples.length, 'sample')}`, () => {
    for (const sample of samples) {
      const real = evaluateReal(program, withInputs(program, weights, sample.inputs));
      const inputs = quantiseAll(program, (_, name) => sample.inputs.get(name));
      const exact = evaluateExactly(program, new Map([...integers, ...inputs]));
      comparison.add(exact, real);
      if (logits !== undefined) scores.add(logits, exact, real, sample);
    }
  });
  return { tensors: comparison.errors(), ...scores.summary() };
}

function quantiseAll(
  program: TensorProgram,
  valuesOf: (id: number, name: string) => Numbers | undefined,
): Map<number, Values> {
  const out = new Map<number, Values>();
  for (const { id, name, shape, type } of program.tensors) {
    const values = valuesOf(id, name);
    if (values !== undefined && type !== undefined) out.set(id, quantise(name, shape, type, values));
  }
  return out;
}

interface Scoring {
  add(logits: Logits, exact: ReadonlyMap<number, Values>, real: ReadonlyMap<number, Numbers>, sample: RunSample): void;
  summary(): Pick<Compared, 'scores' | 'positions'>;
}

/** Agreement in the most likely token, and cross-entropies, summed over samples. */
function createScores(reference: Reference | undefined): Scoring {
  const sums = new Map<keyof Scores, { value: number; count: number }>();
  const add = (name: keyof Scores, value: number, count: number): void => {
    const sum = sums.get(name) ?? { value: 0, count: 0 };
    sums.set(name, { value: sum.value + value, count: sum.count + count });
  };
  let sample = 0;
  return {
    add: ({ id, scale, shape: [T, V] }, exact, real, { targets }) => {
      const [integers, floats] = [exact.get(id), real.get(id)];
      if (integers === undefined || floats === undefined) return;
      const numbers = toReals({ scale }, integers);
      const [a, b] = [largest(numbers, V), largest(floats, V)];
      const agreeing = (x: Int32Array, y: Int32Array): number => x.reduce((n, v, t) => n + Number(v === y[t]), 0);
      add('agreement', agreeing(a, b), T);
      const given = reference?.logits[sample];
      if (given !== undefined) {
        add('referenceAgreement', agreeing(a, largest(given, V)), T);
        add('referenceError', Math.max(...floats.map((v, k) => Math.abs(v - given[k]))), 1);
      }
      if (targets !== undefined) {
        add('crossEntropy', crossEntropy(numbers, V, targets), 1);
        add('floatCrossEntropy', crossEntropy(floats, V, targets), 1);
        const loss = reference?.crossEntropy[sample];
        if (loss !== undefined) add('referenceCrossEntropy', loss, 1);
      }
      sample++;
    },
    summary: () => ({
      scores: Object.fromEntries([...sums].map(([name, { value, count }]) => [name, value / count])),
      positions: sums.get('agreement')?.count ?? 0,
    }),
  };
}
