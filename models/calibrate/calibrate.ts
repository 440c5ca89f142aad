/** Scales for what a program leaves to calibration, from runs of samples in float64: what `zkl calibrate` does. */
import { ArgumentError, ValueError } from '../../compiler/ir/errors.ts';
import { kindOf } from '../../compiler/ir/arguments.ts';
import type { TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { UNNAMED } from '../../grammar/index.ts';
import {
  chooseScales,
  headroomOf,
  noObservations,
  observe,
  weightType,
  type FixedType,
  type Headroom,
} from '../../runtime/evaluate/calibrate.ts';
import { evaluateReal, type Numbers } from '../../runtime/evaluate/index.ts';
import { spareLimbs } from '../../runtime/evaluate/limbs.ts';
import { magnitude } from '../../runtime/evaluate/values.ts';
import { writeCalibration } from './file.ts';
import { modelOf, type ModelInput } from './model.ts';
import { plural, real } from '../../compiler/ir/words.ts';
import { runAtOnce, type RunPhase } from '../phases.ts';
import { readSources, samplesOf, withInputs, type RunSample, type SampleInput, type SourceWeights } from './weights.ts';

export interface CalibrationOptions {
  /** Of values, 4 to 24; default 16. */
  readonly bits?: number | undefined;
  /** Of weights, 4 to 24; default 16. */
  readonly weightBits?: number | undefined;
  /** How many times the largest magnitude of the samples has to fit, 1 to 1024; default 1.5. */
  readonly headroom?: number | undefined;
}

export interface CalibrateInput extends ModelInput, CalibrationOptions {
  /** Of each source. A secret one that is left out counts as zeros: the scales then say nothing about it. */
  readonly weights?: readonly SourceWeights[];
  readonly samples: readonly SampleInput[];
}

export interface Calibrated {
  /** For `compile`, `check` and `compare`. */
  readonly calibration: Readonly<Record<string, FixedType>>;
  /** The file that `readCalibration` of `zkl/formats` reads. */
  readonly file: string;
  /** How the scales were found, a line for people. */
  readonly about: string;
  readonly weights: ReadonlyMap<string, FixedType>;
  readonly values: ReadonlyMap<string, FixedType>;
  /** How much room each type leaves above what was seen, the tightest first. */
  readonly headroom: readonly Headroom[];
  /** Sources that were taken as zeros. */
  readonly zeros: readonly string[];
}

/**
 * Chooses scales from samples. The same input gives the same scales.
 *
 * @throws ProgramError for a program that cannot be run; ValueError for weights and samples that do not fit it, and for a sample that
 *   a written type does not hold; ArgumentError
 */
export async function calibrate(input: CalibrateInput): Promise<Calibrated> {
  const program = modelOf(input, { provisional: true });
  const zeros: string[] = [];
  const weights = await readSources(program, input.weights ?? [], (source) => zeros.push(source));
  return { ...(await calibrateRuns(input, program, weights, samplesOf(program, input.samples))), zeros };
}

/** As `calibrate`, where program, weights and samples were read before. @param program checked as provisional */
export async function calibrateRuns(
  input: ModelInput & CalibrationOptions,
  program: TensorProgram,
  weights: ReadonlyMap<number, Numbers>,
  samples: readonly RunSample[],
  phase: RunPhase = runAtOnce,
): Promise<Omit<Calibrated, 'zeros'>> {
  const { bits = 16, weightBits = 16, headroom = 1.5 } = input;
  for (const [name, value] of Object.entries({ bits, weightBits }))
    if (!Number.isInteger(value) || value < 4 || value > 24)
      throw new ArgumentError(`input.${name}`, 'a whole number from 4 to 24', kindOf(value));
  if (typeof headroom !== 'number' || !(headroom >= 1 && headroom <= 1024))
    throw new ArgumentError('input.headroom', 'a factor from 1 to 1024', kindOf(headroom));

  const observations = noObservations();
  await phase(`run ${plural(samples.length, 'sample')}`, () => {
    for (const { inputs } of samples)
      observe(program, evaluateReal(program, withInputs(program, weights, inputs)), observations);
  });
  const weightTypes = typesOfWeights(program, weights, weightBits);
  // What the checker proves depends on the scales: whether any number could leave the field, or never fits.
  const checked = async (types: ReadonlyMap<string, FixedType>): Promise<TensorProgram> =>
    phase('check', () => modelOf(input, { calibration: Object.fromEntries([...weightTypes, ...types]) }));
  const chosen = chooseScales(program, observations, { bits, headroom });
  const values = spareLimbs(await checked(chosen), chosen);
  await checked(values);
  const report = headroomOf(observations, values);
  refuseOverflows(report, input.source ?? UNNAMED);

  const given = `${plural(samples.length, 'sample')}, headroom ${headroom}`;
  const about = `values of ${bits} bits, weights of ${weightBits} bits, from ${given}`;
  return {
    calibration: Object.fromEntries([...weightTypes, ...values]),
    file: writeCalibration({ about, weights: weightTypes, values }),
    about,
    weights: weightTypes,
    values,
    headroom: report,
  };
}

function typesOfWeights(
  program: TensorProgram,
  weights: ReadonlyMap<number, Numbers>,
  bits: number,
): Map<string, FixedType> {
  const types = new Map<string, FixedType>();
  for (const { id, key, role } of program.tensors) {
    const values = weights.get(id);
    if (role === 'input' && key !== undefined && values !== undefined)
      types.set(key, weightType(magnitude(values), bits));
  }
  return types;
}

/** A type that the program writes, and that the samples already leave. */
function refuseOverflows(report: readonly Headroom[], source: string): void {
  const [first] = report.filter((line) => line.factor < 1 && line.written);
  if (first === undefined) return;
  const needed = first.type.bits + Math.ceil(Math.log2(1 / first.factor));
  throw new ValueError(
    `${first.name} reaches ${real(first.most)}, which needs ${needed} bits with ${first.type.frac} after the point; ${source} writes fixed<${first.type.bits}, ${first.type.frac}>`,
    { tensor: first.name, remedy: `write fixed<${needed}, ${first.type.frac}>, or fewer bits after the point` },
  );
}
