/** The integers of a vector's training steps: its program as `zkl import --train` writes it, calibrated, and run exactly. */
import { gradientKey } from '../../../compiler/check/names/paths.ts';
import type { FixedType } from '../../../compiler/check/index.ts';
import { toNumber } from '../../../compiler/ir/numbers/rational.ts';
import type { TensorId, TensorProgram } from '../../../compiler/ir/tensor/program.ts';
import { format } from '../../../grammar/format.ts';
import type { AdapterWeights } from '../../../models/adapters/peft.ts';
import { adapterOf } from '../../../models/import/index.ts';
import { importModel } from '../../../models/import/model.ts';
import type { OptimizerChoice } from '../../../models/import/training.ts';
import { calibrateTraining, type TrainingCalibration } from '../../../models/train/calibrate.ts';
import { firstFloats, type FloatState } from '../../../models/train/floats.ts';
import { exactInputs, firstState, stateWeights, stepInputs } from '../../../models/train/integers.ts';
import { stateName, trainingModel, type TrainingModel } from '../../../models/train/model.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { evaluateOn, type Numbers, type Values } from '../../../runtime/evaluate/index.ts';
import { resolveImport } from '../../compiler/standard.ts';
import { nearness, openAdapterOf, openModel } from './vectors.ts';
import type { AdamW, ClippedMomentum, CurveVector, Data, GradientVector } from './vectors.ts';

export interface Training {
  /** Checked as provisional. */
  readonly model: TrainingModel;
  readonly text: string;
  /** Numbers of all inputs but the state, the rows and the step; and of the state before the first step. */
  readonly given: ReadonlyMap<TensorId, Numbers>;
  readonly first: FloatState;
  readonly start: AdapterWeights;
}

/** How a vector's curve was made. */
export const adamwOf = ({ rate, beta1, beta2, decay }: AdamW): OptimizerChoice => ({
  name: 'adamw',
  rate,
  beta1,
  beta2,
  decay,
});
export const momentumOf = ({ rate, mu, limit }: ClippedMomentum): OptimizerChoice => ({
  name: 'momentum',
  rate,
  mu,
  limit,
});

/** The program of a vector's steps, of `batch` rows each. */
export async function trainingOf(
  { model: folder, adapter, data, start }: GradientVector | CurveVector<unknown>,
  batch: number,
  optimizer?: OptimizerChoice,
): Promise<Training> {
  const checkpoint = await openModel(folder);
  const own = await adapterOf(await openAdapterOf(adapter), 'adapter');
  const choice = { batch, examples: data.count, steps: 50, publicLoss: true, ...(optimizer && { optimizer }) };
  const imported = await importModel(checkpoint, [own], data.length - 1, undefined, choice);
  const text = (await format(imported.text, 'model.zkl')).text ?? '';
  const model = trainingModel({ text, resolveImport }, { provisional: true });
  const given = new Map<TensorId, Numbers>();
  for (const { id, role, file } of model.program.tensors)
    if (role !== 'input' || file === undefined) continue;
    else if (file.source === 'data') given.set(id, numbersOf(data, file.names[0]));
    else if (file.source !== 'state') given.set(id, await checkpoint.readFloats(file.names[0]));
  return { model, text, given, start, first: firstFloats(model, (name) => weightOf(start, name)) };
}

const numbersOf = ({ tokens, mask }: Data, name: string): Numbers =>
  Float64Array.from(name === 'tokens' ? tokens : mask);

function weightOf(start: AdapterWeights, name: string): Numbers {
  const weight = start.get(name);
  if (weight === undefined) throw new Error(`no ${name} in the vector`);
  return Float64Array.from(weight.values);
}

export const calibrated = (
  { text, model, given, first }: Training,
  device: Device,
  batches: readonly (readonly number[])[],
): Promise<TrainingCalibration> => calibrateTraining({ text, resolveImport, device }, model, given, first, batches);

export interface IntegerStep {
  readonly loss: number;
  /** By the names of weights. */
  readonly gradients: ReadonlyMap<string, Float64Array>;
}

export interface IntegerRun {
  readonly program: TensorProgram;
  /** The integers that the next step takes. */
  inputs(rows: readonly number[]): ReadonlyMap<TensorId, Values>;
  /** Runs the next step. @throws EvaluationError for a value that its type does not hold */
  step(rows: readonly number[]): Promise<IntegerStep>;
  /** Weights as they are served, by their names. */
  weights(): Map<string, Float64Array>;
}

/** A run from the vector's first weights on, in integers of the calibration's types. */
export function integerRun(
  { text, model: { program: named }, given, start }: Training,
  device: Device,
  calibration: Readonly<Record<string, FixedType>>,
): IntegerRun {
  const model = trainingModel({ text, resolveImport }, { calibration });
  const { program, state, losses } = model;
  const ids = new Map(program.tensors.map(({ name, id }) => [name, id]));
  const constants = stepInputs(
    model,
    new Map([...given].map(([id, values]) => [ids.get(named.tensors[id].name)!, values])),
  );
  const gradients = new Map(
    state.map(({ state: { weight } }): [TensorId, string] => {
      const tensor = program.tensors.find(({ key }) => key === gradientKey(`${weight.source}:${weight.name}`));
      if (tensor === undefined) throw new Error(`no gradient of ${weight.name}`);
      return [tensor.id, weight.name];
    }),
  );
  let now = firstState(model, (name) => weightOf(start, name));
  let k = 0;
  const wanted = new Set([...gradients.keys(), ...state.map(({ output }) => output.id), ...losses.map(({ id }) => id)]);
  const inputs = (rows: readonly number[]): Map<TensorId, Values> =>
    exactInputs(model, constants, now, { step: k, rows });
  return {
    program,
    inputs,
    async step(rows) {
      // As `exactStep`, and the gradients are wanted, too.
      const found = await evaluateOn(device, program, inputs(rows), { keep: ({ id }) => wanted.has(id) });
      const reals = (id: TensorId): Float64Array => {
        const unit = toNumber(program.tensors[id].scale);
        return Float64Array.from(found.get(id) ?? [], (v: number | bigint) => Number(v) * unit);
      };
      now = new Map(state.map(({ input, output }) => [stateName(input), found.get(output.id) ?? []]));
      k++;
      return {
        loss: reals(losses[0].id)[0],
        gradients: new Map([...gradients].map(([id, name]) => [name, reals(id)])),
      };
    },
    weights: () =>
      new Map(
        [...stateWeights(model, now)].flatMap(([name, { values }]) =>
          name.startsWith('w:') ? [[name.slice(2), Float64Array.from(values)]] : [],
        ),
      ),
  };
}

/** Every gradient of a vector, in integers: cosine and relative error against torch, the worst first. */
export async function gradientsOf(
  vector: GradientVector,
  device: Device,
  steps: number,
): Promise<{ readonly loss: number; readonly near: { name: string; cosine: number; error: number }[] }> {
  const rows = Array.from({ length: vector.data.count }, (_, k) => k);
  const training = await trainingOf(vector, rows.length);
  const batches = Array.from({ length: steps }, () => rows);
  const { calibration } = await calibrated(training, device, batches);
  const { loss, gradients } = await integerRun(training, device, calibration).step(rows);
  const near = [...vector.gradients].map(([name, { values }]) => ({
    name,
    ...nearness(gradients.get(name) ?? [], values),
  }));
  return { loss, near: near.sort((a, b) => b.error - a.error) };
}

/**
 * The losses of a vector's first steps, in integers: how far each is from the float one, of its size.
 * @param seen how many steps calibration sees
 */
export async function curveOf<H>(
  vector: CurveVector<H>,
  optimizer: OptimizerChoice,
  device: Device,
  { steps, seen }: { readonly steps: number; readonly seen: number },
): Promise<{ readonly losses: number[]; readonly apart: number[]; readonly weights: Map<string, Float64Array> }> {
  const training = await trainingOf(vector, vector.rows[0].length, optimizer);
  const { calibration } = await calibrated(training, device, vector.rows.slice(0, seen));
  const run = integerRun(training, device, calibration);
  const losses: number[] = [];
  for (const rows of vector.rows.slice(0, steps)) losses.push((await run.step(rows)).loss);
  const apart = losses.map((loss, k) => Math.abs(loss - vector.losses[k]) / (vector.losses[k] || 1));
  return { losses, apart, weights: run.weights() };
}
