/** How far a program's integers are from float64 without roundings, over samples: what `zkl compare` does. */
import { ValueError } from '../../compiler/ir/errors.ts';
import type { FixedType } from '../../compiler/check/index.ts';
import type { Tensor, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { plural } from '../../compiler/ir/words.ts';
import type { Device } from '../../runtime/device/device.ts';
import {
  checkInputs,
  evaluateExactly,
  EvaluationError,
  evaluateOn,
  evaluateReal,
  evaluateRealOn,
  type Numbers,
  type RealOptions,
  type Values,
} from '../../runtime/evaluate/index.ts';
import { quantise } from '../../runtime/integers/quantise.ts';
import { runAtOnce, type RunPhase } from '../phases.ts';
import { createComparison, toReals, type TensorError } from './difference.ts';
import { modelOf, type ModelInput } from './model.ts';
import type { Reference } from './samples.ts';
import { createScoring, type Scores } from './scores.ts';
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
  /** Where large products of matrices are made; default: on this thread. It has float64, as the WASM device does. */
  readonly device?: Device;
}

/** A sample with a value that its type does not hold. */
export interface Overflow {
  /** From 0. */
  readonly sample: number;
  readonly error: EvaluationError;
}

export interface Compared {
  /** Every rounded tensor and every output, in the order of the program. */
  readonly tensors: readonly TensorError[];
  /** Of programs with logits. */
  readonly scores: Scores;
  /** How many samples there were, those with overflows included. */
  readonly samples: number;
  /** How many positions of tokens were compared. */
  readonly positions: number;
  /** Samples that could not be compared, the others were. */
  readonly overflows: readonly Overflow[];
  /** Sources that were taken as zeros. */
  readonly zeros: readonly string[];
}

/**
 * Runs samples in integers and in float64.
 *
 * @throws ProgramError for a program that cannot be run; ValueError for weights and samples that do not fit it or that its types do not
 *   hold; ArgumentError
 */
export async function compare(input: CompareInput): Promise<Compared> {
  const program = modelOf(input, { calibration: input.calibration });
  const zeros: string[] = [];
  const weights = await readSources(program, input.weights ?? [], (source) => zeros.push(source));
  const logits = logitsOf(program, input.logits);
  const samples = samplesOf(program, input.samples);
  const { reference, device } = input;
  return { ...(await compareRuns(program, weights, samples, { logits, reference, device })), zeros };
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

export interface CompareOptions extends Pick<CompareInput, 'device' | 'reference'> {
  readonly logits: Logits | undefined;
  readonly phase?: RunPhase;
}

/** As `compare`, where program, weights and samples were read before. */
export async function compareRuns(
  program: TensorProgram,
  weights: ReadonlyMap<number, Numbers>,
  samples: readonly RunSample[],
  { logits, reference, device, phase = runAtOnce }: CompareOptions,
): Promise<Omit<Compared, 'zeros'>> {
  const { integers, checked } = await phase('round weights', () => {
    const rounded = quantiseAll(program, (id) => weights.get(id));
    return { integers: rounded, checked: checkInputs(program, rounded) };
  });
  const comparison = createComparison(program);
  const scoring = logits && createScoring(logits.shape[1], reference);
  const overflows: Overflow[] = [];
  const compared = comparison.tensors;
  const options = { keep: ({ id }: Tensor) => compared.has(id) || id === logits?.id, checked };
  await phase(`run ${plural(samples.length, 'sample')}`, async (report) => {
    for (const [k, sample] of samples.entries()) {
      report(k / samples.length, `sample ${k + 1} of ${samples.length}`);
      const inputs = new Map([...integers, ...quantiseAll(program, (_, name) => sample.inputs.get(name))]);
      const exact = await (
        device === undefined
          ? Promise.resolve().then(() => evaluateExactly(program, inputs, options))
          : evaluateOn(device, program, inputs, options)
      ).catch((error: unknown) => {
        if (!(error instanceof EvaluationError)) throw error;
        overflows.push({ sample: k, error });
      });
      if (exact === undefined) continue;
      const real = await runReal(device, program, withInputs(program, weights, sample.inputs), options);
      comparison.add(exact, real);
      if (logits === undefined || scoring === undefined) continue;
      const [own, floats] = [exact.get(logits.id), real.get(logits.id)];
      if (own === undefined || floats === undefined) continue;
      const [T, V] = logits.shape;
      const count = Math.min(sample.length ?? T, T) * V;
      scoring.add(k, toReals(logits, own).subarray(0, count), floats.subarray(0, count), sample.targets);
    }
  });
  const { scores = {}, positions = 0 } = scoring?.summary() ?? {};
  return { tensors: comparison.errors(), scores, samples: samples.length, positions, overflows };
}

/** In float64, on a device where there is one. */
export const runReal = async (
  device: Device | undefined,
  program: TensorProgram,
  inputs: ReadonlyMap<number, Numbers>,
  options: RealOptions,
): Promise<Map<number, Numbers>> =>
  device === undefined ? evaluateReal(program, inputs, options) : evaluateRealOn(device, program, inputs, options);

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
