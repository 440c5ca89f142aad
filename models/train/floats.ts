/** Training in float64, without a rounding: for scales, and to see how far the integers are from it. */
import type { TensorId } from '../../compiler/ir/tensor/program.ts';
import type { Device } from '../../runtime/device/device.ts';
import type { Numbers, RealOptions } from '../../runtime/evaluate/index.ts';
import { runReal } from '../calibrate/compare.ts';
import { stateName, type TrainingModel } from './model.ts';

/** Numbers of weights and states, by the name of the tensor: `w:NAME`, `m:NAME`. */
export type FloatState = ReadonlyMap<string, Numbers>;

export interface FloatStep {
  readonly state: FloatState;
  /** By name: those that the program publishes. */
  readonly losses: ReadonlyMap<string, number>;
}

/**
 * The state before the first step.
 * @param weights numbers of the trained weights, by their names in the checkpoint, in the shapes of the program
 */
export function firstFloats({ state }: TrainingModel, weights: (name: string) => Numbers): FloatState {
  return new Map(
    state.map(({ input, state: { first, type, weight } }) => {
      const own = weights(weight.name);
      const frac = type.kind === 'fixed' ? type.frac : 0;
      const values =
        first.kind === 'weight'
          ? Float64Array.from(own)
          : new Float64Array(own.length).fill(Number(first.integer) / 2 ** frac);
      return [stateName(input), values];
    }),
  );
}

/** Numbers of all inputs of a step. */
export function stepInputs(
  { step, rows, state }: TrainingModel,
  given: ReadonlyMap<TensorId, Numbers>,
  before: FloatState,
  at: { readonly step: number; readonly rows: readonly number[] },
): Map<TensorId, Numbers> {
  const inputs = new Map(given);
  inputs.set(step.id, Float64Array.of(at.step));
  if (rows !== undefined) inputs.set(rows.id, Float64Array.from(at.rows));
  for (const { input } of state) inputs.set(input.id, before.get(stateName(input)) ?? new Float64Array());
  return inputs;
}

/** One step. @param given numbers of everything that is neither state, rows nor step */
export async function floatStep(
  model: TrainingModel,
  given: ReadonlyMap<TensorId, Numbers>,
  before: FloatState,
  at: { readonly step: number; readonly rows: readonly number[] },
  { device, each }: { readonly device?: Device | undefined; readonly each?: RealOptions['each'] | undefined } = {},
): Promise<FloatStep> {
  const { program, state, losses } = model;
  const inputs = stepInputs(model, given, before, at);
  const wanted = new Set([...state.map(({ output }) => output.id), ...losses.map(({ id }) => id)]);
  const keep: RealOptions['keep'] = ({ id }) => wanted.has(id);
  const found = await runReal(device, program, inputs, { keep, ...(each === undefined ? {} : { each }) });
  const of = (id: TensorId): Numbers => found.get(id) ?? new Float64Array();
  return {
    state: new Map(state.map(({ input, output }) => [stateName(input), of(output.id)])),
    losses: new Map(losses.map(({ id, name }) => [name, of(id)[0]])),
  };
}
