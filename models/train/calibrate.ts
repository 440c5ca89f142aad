/**
 * Scales of a training step, from a few steps in float64: the first alone would not do, as an adapter begins with a `lora_B` of 0,
 * and with that every gradient of `lora_A` is. Values of the forward pass get what their rounding does to the scores asks for, as in
 * `models/calibrate`; cotangents 16 bits and a room of 4, since they grow while a model is trained, each with a scale of its own.
 */
import { gradientKey, isGradientKey } from '../../compiler/check/names/paths.ts';
import type { FixedType } from '../../compiler/check/index.ts';
import { needed, prune } from '../../compiler/check/statements/prune.ts';
import type { TensorId, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { plural } from '../../compiler/ir/words.ts';
import { UNNAMED } from '../../grammar/index.ts';
import type { Device } from '../../runtime/device/device.ts';
import type { Numbers } from '../../runtime/evaluate/index.ts';
import { runAtOnce, type RunPhase } from '../phases.ts';
import { logitsOf, runReal } from '../calibrate/compare.ts';
import { writeCalibration } from '../calibrate/file.ts';
import { refuseOverflows, typesOfWeights } from '../calibrate/calibrate.ts';
import { groupsOf, measureEffects, pricesOf } from '../calibrate/effect.ts';
import { spareLimbs } from '../calibrate/limbs.ts';
import { modelOf, type ModelInput } from '../calibrate/model.ts';
import { createObserver, headroomOf, type Headroom, type Observations } from '../calibrate/observe.ts';
import { chooseScales, fractionBits, needsOf } from '../calibrate/scales.ts';
import { floatStep, type FloatState } from './floats.ts';
import type { TrainingModel } from './model.ts';

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
  const { headroom = 2, gradientHeadroom = 4, weightBits = 16, device } = input;
  const { program } = model;
  const { observations, observe } = createObserver(program);
  const losses: ReadonlyMap<string, number>[] = [];
  await phase(`run ${plural(batches.length, 'step')} in float64`, async (report) => {
    let state = first;
    for (const [k, rows] of batches.entries()) {
      report(k / batches.length, `step ${k + 1} of ${batches.length}`);
      const made = await floatStep(model, given, state, { step: k, rows }, { device, each: observe });
      losses.push(made.losses);
      ({ state } = made);
    }
  });
  const roomy = withRoom(observations, gradientHeadroom / headroom);
  const effects = await effectsOf(model, given, first, batches[0], roomy, headroom, device, phase);
  const weights = typesOfWeights(program, given, weightBits);
  const checked = async (types: ReadonlyMap<string, FixedType>): Promise<TensorProgram> =>
    phase('check', () => modelOf(input, { calibration: Object.fromEntries([...weights, ...types]) }));
  const scales = chooseScales(program, roomy, { headroom, needs: needsOf(effects) });
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

/** Keys of the gradients of trained weights. */
const gradientKeys = ({ state }: TrainingModel): string[] =>
  state.map(({ state: { weight } }) => gradientKey(`${weight.source}:${weight.names[0]}`));

/** What the types of states are made of: those of the first gradients, under `SOURCE:NAME.state`. */
function statesOf({ state }: TrainingModel, began: Readonly<Record<string, FixedType>>): Map<string, FixedType> {
  return new Map(
    state.flatMap(({ state: { weight } }) => {
      const key = `${weight.source}:${weight.names[0]}`;
      const type = began[`${key}.state`] ?? began[gradientKey(key)];
      return type === undefined ? [] : [[`${key}.state`, type] as const];
    }),
  );
}

/** Observations in which cotangents are as many times larger as they are to have more room. */
function withRoom({ keys, written }: Observations, factor: number): Observations {
  const grown = [...keys].map(
    ([key, { name, most }]) => [key, { name, most: isGradientKey(key) ? most * factor : most }] as const,
  );
  return { keys: new Map(grown), written };
}

/** What rounding each value of the forward pass does to the scores of the first batch; nothing where there are none. */
async function effectsOf(
  model: TrainingModel,
  given: ReadonlyMap<TensorId, Numbers>,
  first: FloatState,
  rows: readonly number[],
  observations: Observations,
  headroom: number,
  device: Device | undefined,
  phase: RunPhase,
): Promise<{ keys: readonly string[]; effect: number; price: number }[]> {
  const { program } = model;
  const logits = logitsOf(program, undefined);
  if (logits === undefined) return [];
  const forward = upTo(program, logits.id);
  const keys = new Map([...observations.keys].filter(([key]) => forward.keys.has(key)));
  const groups = groupsOf({ keys, written: new Map() });
  const inputs = new Map(given);
  inputs.set(model.step.id, Float64Array.of(0));
  if (model.rows !== undefined) inputs.set(model.rows.id, Float64Array.from(rows));
  for (const { input } of model.state)
    inputs.set(input.id, first.get(input.file?.names[0] ?? input.name) ?? new Float64Array());
  const { types } = chooseScales(program, observations, { headroom });
  const found = await phase(`measure ${plural(groups.size, 'effect')} of rounding`, (report) =>
    measureEffects(
      forward.program,
      [{ run: (options) => runReal(device, forward.program, forward.moved(inputs), options) }],
      groups,
      types,
      logitsOf(forward.program, undefined),
      report,
    ),
  );
  const prices = pricesOf(program, groups);
  return [...found].map(([group, effect]) => ({
    keys: groups.get(group) ?? [],
    effect,
    price: prices.get(group) ?? 0,
  }));
}

/** The part of a program that one tensor needs, its keys, and inputs of the program as its own. */
function upTo(
  program: TensorProgram,
  id: TensorId,
): {
  readonly program: TensorProgram;
  readonly keys: ReadonlySet<string>;
  readonly moved: (inputs: ReadonlyMap<TensorId, Numbers>) => Map<TensorId, Numbers>;
} {
  const { name, tensors, equations, tables, statement } = program;
  const keep = needed(equations, [id]);
  const own = tensors.filter((t) => keep.has(t.id));
  const ids = new Map(own.map((t, k) => [t.id, k]));
  return {
    program: prune({ name, tensors, equations, tables, statement: statement.filter((t) => keep.has(t)) }, keep),
    keys: new Set(own.flatMap(({ key }) => (key === undefined ? [] : [key]))),
    moved: (inputs) =>
      new Map(
        [...inputs].flatMap(([t, values]) => {
          const place = ids.get(t);
          return place === undefined ? [] : [[place, values] as const];
        }),
      ),
  };
}
