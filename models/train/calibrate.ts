/**
 * Scales of a training step, from a few steps in float64: the first alone would not do, as an adapter begins with a `lora_B` of 0,
 * and with that every gradient of `lora_A` is. Values of the forward pass get what scores and gradients ask for (`precision.ts`);
 * cotangents 16 bits and a room of 4, since they grow while a model is trained, each with a scale of its own.
 */
import { gradientKey, isGradientKey } from '../../compiler/check/names/paths.ts';
import type { FixedType } from '../../compiler/check/index.ts';
import { ValueError } from '../../compiler/ir/errors.ts';
import type { TensorId, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { plural } from '../../compiler/ir/words.ts';
import { UNNAMED } from '../../grammar/index.ts';
import type { Device } from '../../runtime/device/device.ts';
import type { Numbers, RealOptions } from '../../runtime/evaluate/index.ts';
import { runAtOnce, type RunPhase } from '../phases.ts';
import { writeCalibration } from '../calibrate/file.ts';
import { refuseOverflows, typesOfWeights } from '../calibrate/calibrate.ts';
import { spareLimbs } from '../calibrate/limbs.ts';
import { modelOf, type ModelInput } from '../calibrate/model.ts';
import { createObserver, headroomOf, type Headroom, type Observations } from '../calibrate/observe.ts';
import { chooseScales, fractionBits } from '../calibrate/scales.ts';
import { gradientKeys, measureStep } from './effects.ts';
import { floatStep, stepInputs, type FloatState } from './floats.ts';
import type { TrainingModel } from './model.ts';
import { chooseTrainingScales } from './precision.ts';

export interface TrainingCalibration {
  readonly calibration: Readonly<Record<string, FixedType>>;
  readonly file: string;
  readonly about: string;
  readonly headroom: readonly Headroom[];
  /** Of each step, by name. */
  readonly losses: readonly ReadonlyMap<string, number>[];
}

export interface TrainingCalibrationInput extends ModelInput {
  /** How many times the largest magnitude of values of the forward pass has to fit; default 2. */
  readonly headroom?: number | undefined;
  /** The same of cotangents; default 4. */
  readonly gradientHeadroom?: number | undefined;
  readonly weightBits?: number | undefined;
  readonly device?: Device | undefined;
  /** The calibration that the run began with: types of states are made of it, and stay. */
  readonly states?: Readonly<Record<string, FixedType>> | undefined;
  /** The number of the first of these steps; default 0. */
  readonly from?: number | undefined;
}

/**
 * Gradients of weights, of which there are few: those of `lora_A` grow as `lora_B` does, which begins with 0, and types of
 * states are made of theirs for a whole run.
 */
const WEIGHT = { bits: 20, headroom: 64 } as const;

/**
 * @param model checked as provisional
 * @param given numbers of all that comes from sources but the state, by tensor
 * @param batches the rows of each step that is run
 */
export async function calibrateTraining(
  input: TrainingCalibrationInput,
  model: TrainingModel,
  given: ReadonlyMap<TensorId, Numbers>,
  first: FloatState,
  batches: readonly (readonly number[])[],
  phase: RunPhase = runAtOnce,
): Promise<TrainingCalibration> {
  const { headroom = 2, gradientHeadroom = 4, weightBits = 16, device, from = 0 } = input;
  const { program } = model;
  const { observations, observe } = createObserver(program);
  const losses: ReadonlyMap<string, number>[] = [];
  let last = stepInputs(model, given, first, { step: from, rows: batches[0] });
  let learnt = false;
  await phase(`run ${plural(batches.length, 'step')} in float64`, async (report) => {
    const gradients = new Set(gradientKeys(model));
    let state = first;
    for (const [k, rows] of batches.entries()) {
      report(k / batches.length, `step ${k + 1} of ${batches.length}`);
      let learns = false;
      const each: RealOptions['each'] = (tensor, values) => {
        learns ||= tensor.key !== undefined && gradients.has(tensor.key) && values.some((v) => v !== 0);
        return observe(tensor, values);
      };
      const made = await floatStep(model, given, state, { step: from + k, rows }, { device, each });
      losses.push(made.losses);
      learnt ||= learns;
      refuseDivergence(observations, from + k);
      if (learns) last = stepInputs(model, given, state, { step: from + k, rows });
      ({ state } = made);
    }
  });
  if (!learnt && input.states === undefined)
    throw new ValueError(`no gradient is other than 0 in ${plural(batches.length, 'step')}: every target is masked`, {
      remedy: 'give data in which some tokens are targets, or look at more steps: --steps N',
    });
  const roomy = withRoom(observations, gradientHeadroom / headroom);
  const weights = typesOfWeights(program, given, weightBits);
  const { types: measured } = chooseScales(program, roomy, { headroom });
  const effects = await phase('measure effects of rounding', (report) =>
    measureStep(model, last, roomy, new Map([...weights, ...measured]), device, report),
  );
  const checked = async (types: ReadonlyMap<string, FixedType>): Promise<TensorProgram> =>
    phase('check', () => modelOf(input, { calibration: Object.fromEntries([...weights, ...types]) }));
  const scales = chooseTrainingScales(program, roomy, { headroom, effects, measured });
  for (const key of gradientKeys(model)) {
    const most = observations.keys.get(key)?.most ?? 0;
    const type = { bits: WEIGHT.bits, frac: fractionBits(most * WEIGHT.headroom, WEIGHT.bits) };
    scales.types.set(key, type);
    scales.least.set(key, type.frac);
  }
  const spared = spareLimbs(await checked(scales.types), scales);
  const values = new Map([...spared, ...statesOf(model, input.states ?? Object.fromEntries(spared))]);
  await checked(values);
  refuseOverflows(headroomOf(observations, values), input.source ?? UNNAMED);
  const about = `values of 16 bits and more, weights of ${weightBits} bits, from ${plural(batches.length, 'step')}, headroom ${headroom}, of cotangents ${gradientHeadroom}`;
  return {
    calibration: Object.fromEntries([...weights, ...values]),
    file: writeCalibration({ about, measured: undefined, weights, values }),
    about,
    headroom: headroomOf(observations, values),
    losses,
  };
}

/** What the types of states are made of: those of the first gradients, under `SOURCE:NAME.state`. */
function statesOf({ state }: TrainingModel, began: Readonly<Record<string, FixedType>>): Map<string, FixedType> {
  return new Map(
    state.flatMap(({ state: { weight } }) => {
      const key = `${weight.source}:${weight.name}`;
      const type = began[`${key}.state`] ?? began[gradientKey(key)];
      return type === undefined ? [] : [[`${key}.state`, type] as const];
    }),
  );
}

/** Larger than what anything learns with, and than a sum of squares of such numbers that a double holds exactly. */
const DIVERGED = 2 ** 48;

/** @throws ValueError where values grow beyond all types */
function refuseDivergence({ keys, written }: Observations, step: number): void {
  const all = [...keys.values(), ...[...written].map(([name, { most }]) => ({ name, most }))];
  const worst = all.find(({ most }) => !(most < DIVERGED));
  if (worst === undefined) return;
  throw new ValueError(
    `training diverges: in float64 ${worst.name} reaches ${worst.most.toPrecision(3)} at step ${step}`,
    {
      tensor: worst.name,
      remedy: 'write a smaller rate, or an optimizer that holds the norm of gradients (`limit`)',
    },
  );
}

/** Observations in which cotangents are as many times larger as they are to have more room. */
function withRoom({ keys, written }: Observations, factor: number): Observations {
  const grown = [...keys].map(
    ([key, { name, most }]) => [key, { name, most: isGradientKey(key) ? most * factor : most }] as const,
  );
  return { keys: new Map(grown), written };
}
