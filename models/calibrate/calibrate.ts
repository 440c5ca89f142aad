/** Scales for what a program leaves to calibration, from runs of samples in float64: what `zkl calibrate` does. */
import { kindOf } from '../../compiler/ir/arguments.ts';
import { ArgumentError, ValueError } from '../../compiler/ir/errors.ts';
import type { FixedType } from '../../compiler/check/index.ts';
import type { TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { plural, real } from '../../compiler/ir/words.ts';
import { UNNAMED } from '../../grammar/index.ts';
import type { Device } from '../../runtime/device/device.ts';
import type { Numbers, RealOptions } from '../../runtime/evaluate/index.ts';
import { magnitude } from '../../runtime/evaluate/values.ts';
import { runAtOnce, type RunPhase } from '../phases.ts';
import { compareRuns, logitsOf, runReal, type Compared } from './compare.ts';
import { writeCalibration, type Measured } from './file.ts';
import { groupsOf, measureEffects, pricesOf } from './effect.ts';
import { spareLimbs } from './limbs.ts';
import { modelOf, type ModelInput } from './model.ts';
import { createObserver, headroomOf, type Headroom } from './observe.ts';
import { chooseScales, moreBits, needsOf, weightType } from './scales.ts';
import { readSources, samplesOf, withInputs, type RunSample, type SampleInput, type SourceWeights } from './weights.ts';

/** What is asked of the integers, on samples that scales were not chosen from. */
export interface Target {
  /** The part of positions whose most likely token is float64's, from 0 to 1; default 0.99. */
  readonly agreement: number;
  /** How far the cross-entropy may be off, as a part of float64's; default 0.005. */
  readonly loss: number;
}

export const DEFAULT_TARGET: Target = { agreement: 0.99, loss: 0.005 };

export interface CalibrationOptions {
  /** Of every value, 4 to 24; default: 16, and more for those whose rounding would change what the program says. */
  readonly bits?: number | undefined;
  /** Of weights, 4 to 24; default 16. */
  readonly weightBits?: number | undefined;
  /** How many times the largest magnitude of the samples has to fit, 1 to 1024; default 2. */
  readonly headroom?: number | undefined;
  readonly target?: Target | undefined;
  /** Where large products of matrices are made; default: on this thread. It has float64, as the WASM device does. */
  readonly device?: Device | undefined;
}

export interface CalibrateInput extends ModelInput, CalibrationOptions {
  /** Of each source. A secret one that is left out counts as zeros: the scales then say nothing about it. */
  readonly weights?: readonly SourceWeights[];
  /** Of four or more, every fourth is kept apart: scales are chosen without it, and measured on it. Of two or three, the last one. */
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
  /**
   * What rounding each value to 16 bits does, by the value's name: to scores in nats a position, or, where there are none, to outputs as
   * the squared error over their mean square; empty with `bits`.
   */
  readonly effects: ReadonlyMap<string, number>;
  readonly effectsOn: 'scores' | 'outputs';
  /** Values that have no more than 16 bits, those first whose rounding changes most for what more would cost; empty with `bits`. */
  readonly more: readonly MoreBits[];
  /** What the integers make of the samples that were kept apart; nothing if there is but one sample. */
  readonly compared: Omit<Compared, 'zeros'> | undefined;
  readonly measured: Measured | undefined;
  /** Sources that were taken as zeros. */
  readonly zeros: readonly string[];
}

/** What a value's rounding does, and what more bits of it would cost. */
export interface MoreBits {
  readonly name: string;
  /** As of `effects`; more bits leave next to nothing of it. */
  readonly effect: number;
  /** The part of all lookups that more bits would add. */
  readonly lookups: number;
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

/** Samples that effects are measured on. */
const EFFECT_SAMPLES = 2;
/** How often fractions are doubled at most, where the target is not reached. */
const MAX_STRICTNESS = 3;

/** As `calibrate`, where program, weights and samples were read before. @param program checked as provisional */
export async function calibrateRuns(
  input: ModelInput & CalibrationOptions,
  program: TensorProgram,
  weights: ReadonlyMap<number, Numbers>,
  samples: readonly RunSample[],
  phase: RunPhase = runAtOnce,
): Promise<Omit<Calibrated, 'zeros'>> {
  const { bits, weightBits = 16, headroom = 2, target = DEFAULT_TARGET, device } = input;
  checkOptions(input);
  const [own, apart] = keptApart(samples);
  const { observations, observe } = createObserver(program);
  await phase(`run ${plural(own.length, 'sample')}`, async (report) => {
    for (const [k, { inputs }] of own.entries()) {
      report(k / own.length, `sample ${k + 1} of ${own.length}`);
      const options = { keep: () => false, each: observe };
      await runReal(device, program, withInputs(program, weights, inputs), options);
    }
  });
  const groups = groupsOf(observations);
  const scores = logitsOf(program, undefined);
  const effects =
    bits === undefined
      ? await phase(`measure ${plural(groups.size, 'effect')} of rounding`, (report) => {
          const { types } = chooseScales(program, observations, { headroom });
          const runs = own.slice(0, EFFECT_SAMPLES).map(({ inputs, length }) => ({
            run: (options: RealOptions) => runReal(device, program, withInputs(program, weights, inputs), options),
            length,
          }));
          return measureEffects(program, runs, groups, types, scores, report);
        })
      : new Map<string, number>();
  const weightTypes = typesOfWeights(program, weights, weightBits);
  // What the checker proves depends on the scales: whether any number could leave the field, or never fits.
  const checked = async (types: ReadonlyMap<string, FixedType>): Promise<TensorProgram> =>
    phase('check', () => modelOf(input, { calibration: Object.fromEntries([...weightTypes, ...types]) }));
  const prices = pricesOf(program, groups);
  const valued = [...effects].map(([group, effect]) => ({
    name: group,
    keys: groups.get(group) ?? [],
    effect,
    price: prices.get(group) ?? 0,
  }));
  const choose = async (strictness: number) => {
    const needs = needsOf(valued, strictness);
    const scales = chooseScales(program, observations, { bits, headroom, needs });
    const values = spareLimbs(await checked(scales.types), scales);
    const calibrated = await checked(values);
    refuseOverflows(headroomOf(observations, values), input.source ?? UNNAMED);
    if (apart.length === 0) return { values, needs, compared: undefined };
    const named: RunPhase = (name, body) => phase(name.replace('run', 'compare'), body);
    const options = { logits: logitsOf(calibrated, undefined), reference: undefined, device, phase: named };
    return { values, needs, compared: await compareRuns(calibrated, weights, apart, options) };
  };
  let found = await choose(0);
  for (let strictness = 1; bits === undefined && strictness <= MAX_STRICTNESS; strictness++) {
    if (found.compared === undefined || isReached(measuredOf(found.compared), target)) break;
    found = await choose(strictness);
  }
  const { values, needs, compared } = found;
  const measured = compared && measuredOf(compared);
  const how = bits === undefined ? 'values of 16 bits and more' : `values of ${bits} bits`;
  const about = `${how}, weights of ${weightBits} bits, from ${plural(own.length, 'sample')}, headroom ${headroom}`;
  return {
    calibration: Object.fromEntries([...weightTypes, ...values]),
    file: writeCalibration({ about, measured, weights: weightTypes, values }),
    about,
    weights: weightTypes,
    values,
    headroom: headroomOf(observations, values),
    effects,
    effectsOn: scores === undefined ? 'outputs' : 'scores',
    more: moreBits(valued, needs).map(({ name, effect, price }) => ({ name, effect, lookups: price })),
    compared,
    measured,
  };
}

function checkOptions({ bits = 16, weightBits = 16, headroom = 2, target = DEFAULT_TARGET }: CalibrationOptions): void {
  for (const [name, value] of Object.entries({ bits, weightBits }))
    if (!Number.isInteger(value) || value < 4 || value > 24)
      throw new ArgumentError(`input.${name}`, 'a whole number from 4 to 24', kindOf(value));
  if (typeof headroom !== 'number' || !(headroom >= 1 && headroom <= 1024))
    throw new ArgumentError('input.headroom', 'a factor from 1 to 1024', kindOf(headroom));
  for (const part of [target.agreement, target.loss])
    if (typeof part !== 'number' || !(part >= 0 && part <= 1))
      throw new ArgumentError('input.target', '{ agreement, loss }, each from 0 to 1', kindOf(part));
}

/** Those to choose scales from, and those to measure them on. */
function keptApart(samples: readonly RunSample[]): [RunSample[], RunSample[]] {
  const step = samples.length < 4 ? samples.length : 4;
  const isApart = (k: number): boolean => step > 1 && k % step === step - 1;
  return [samples.filter((_, k) => !isApart(k)), samples.filter((_, k) => isApart(k))];
}

function measuredOf({ scores, positions, overflows, samples }: Omit<Compared, 'zeros'>): Measured {
  const {
    agreement,
    ties = 0,
    clearAgreement,
    lastAgreement,
    crossEntropy,
    floatCrossEntropy,
    meanDifference,
  } = scores;
  return {
    samples,
    positions,
    overflows: overflows.length,
    ...(agreement === undefined
      ? {}
      : { agreement, ties, clearAgreement: clearAgreement ?? 1, lastAgreement: lastAgreement ?? 1 }),
    ...(crossEntropy === undefined || floatCrossEntropy === undefined
      ? {}
      : { crossEntropy, floatCrossEntropy, meanDifference: meanDifference ?? 0 }),
  };
}

/**
 * Whether integers say what float64 does. Of positions where anything decides between two tokens, either will do; and where fewer were
 * measured than a miss is a part of, one miss.
 */
export function isReached(measured: Measured, { agreement, loss }: Target): boolean {
  const { overflows, positions, ties = 0, clearAgreement = 1, crossEntropy = 0, floatCrossEntropy = 0 } = measured;
  const clear = positions - ties;
  const misses = Math.round((1 - clearAgreement) * clear);
  const off = Math.abs(crossEntropy - floatCrossEntropy);
  return (
    overflows === 0 &&
    misses <= Math.max(agreement === 1 ? 0 : 1, (1 - agreement) * clear) &&
    off <= loss * Math.abs(floatCrossEntropy)
  );
}

/** Types of weights whose text leaves them open: by their largest magnitude. */
export function typesOfWeights(
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

/** A type that the program writes, and that the samples already leave. @throws ValueError */
export function refuseOverflows(report: readonly Headroom[], source: string): void {
  const [first] = report.filter((line) => line.factor < 1 && line.written);
  if (first === undefined) return;
  const needed = first.type.bits + Math.ceil(Math.log2(1 / first.factor));
  throw new ValueError(
    `${first.name} reaches ${real(first.most)}, which needs ${needed} bits with ${first.type.frac} after the point; ${source} writes fixed<${first.type.bits}, ${first.type.frac}>`,
    { tensor: first.name, remedy: `write fixed<${needed}, ${first.type.frac}>, or fewer bits after the point` },
  );
}
