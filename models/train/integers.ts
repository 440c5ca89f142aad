/** Training in exact integers: those that the proof of a step is about. */
import { firstIntegers } from '../../compiler/check/optimizers/first.ts';
import type { TensorId, TensorType } from '../../compiler/ir/tensor/program.ts';
import type { Device } from '../../runtime/device/device.ts';
import { checkInputs, evaluateExactly, evaluateOn, type Numbers, type Values } from '../../runtime/evaluate/index.ts';
import { dequantise, quantise } from '../../runtime/integers/quantise.ts';
import { readTensor, shapeOf, type WeightMap, type Weights } from '../../runtime/weights.ts';
import { writeSafetensors, type TensorToWrite } from '../files/safetensors-writer.ts';
import type { FloatState } from './floats.ts';
import { stateName, type TrainingModel } from './model.ts';

/** Integers of weights and states, by the name of the tensor: `w:NAME`, `m:NAME`; each in its type. */
export type IntegerState = ReadonlyMap<string, Values>;

/** What every step reads, as integers, looked through once. */
export interface StepInputs {
  readonly integers: ReadonlyMap<TensorId, Values>;
  readonly checked: ReadonlyMap<TensorId, bigint>;
}

export interface ExactStep {
  readonly state: IntegerState;
  /** By name: those that the program publishes. */
  readonly losses: ReadonlyMap<string, number>;
}

/**
 * The state before the first step.
 * @param weights numbers of the trained weights, by their names in the checkpoint
 * @throws ValueError for a weight that its type does not hold
 */
export function firstState({ state }: TrainingModel, weights: (name: string) => Numbers): IntegerState {
  return new Map(
    state.map(({ input, state: { first, type, weight, shape } }) => {
      const own = quantise(weight.name, shape, weight.type, weights(weight.name));
      return [stateName(input), held(firstIntegers(first, type, Array.from(own, BigInt), weight.type))];
    }),
  );
}

/** Integers of at most 48 bits, which is what can be committed to. */
const held = (values: readonly bigint[]): Float64Array => Float64Array.from(values, Number);

/** @param given numbers of everything that is neither state, rows nor step @throws ValueError for one that its type does not hold */
export function stepInputs({ program }: TrainingModel, given: ReadonlyMap<TensorId, Numbers>): StepInputs {
  const integers = new Map<TensorId, Values>();
  for (const [id, values] of given) {
    const { name, shape, type } = program.tensors[id];
    if (type !== undefined) integers.set(id, quantise(name, shape, type, values));
  }
  return { integers, checked: checkInputs(program, integers) };
}

/** Which step it is, and the rows that it takes. */
export interface At {
  readonly step: number;
  readonly rows: readonly number[];
}

/** Integers of all inputs of a step. */
export function exactInputs(
  { step, rows, state }: TrainingModel,
  { integers }: StepInputs,
  before: IntegerState,
  at: At,
): Map<TensorId, Values> {
  const inputs = new Map(integers);
  inputs.set(step.id, Float64Array.of(at.step));
  if (rows !== undefined) inputs.set(rows.id, Float64Array.from(at.rows));
  for (const { input } of state) inputs.set(input.id, before.get(stateName(input)) ?? new Float64Array());
  return inputs;
}

/** One step. @throws EvaluationError for a value that its type does not hold */
export async function exactStep(
  model: TrainingModel,
  given: StepInputs,
  before: IntegerState,
  at: At,
  device?: Device,
): Promise<ExactStep> {
  const { program, state, losses } = model;
  const { checked } = given;
  const inputs = exactInputs(model, given, before, at);
  const wanted = new Set([...state.map(({ output }) => output.id), ...losses.map(({ id }) => id)]);
  const options = { keep: ({ id }: { readonly id: TensorId }) => wanted.has(id), checked };
  const found =
    device === undefined
      ? evaluateExactly(program, inputs, options)
      : await evaluateOn(device, program, inputs, options);
  const of = (id: TensorId): Values => found.get(id) ?? new Float64Array();
  return {
    state: new Map(state.map(({ input, output }) => [stateName(input), of(output.id)])),
    losses: new Map(losses.map(({ id, name }) => [name, Number(of(id)[0]) * scaleOf(program.tensors[id])])),
  };
}

const scaleOf = ({ scale }: { readonly scale: { readonly num: bigint; readonly den: bigint } }): number =>
  dequantise({ scale }, [1n])[0];

const unitOf = (type: TensorType): number => (type.kind === 'fixed' ? 2 ** -type.frac : 1);

const inReals = (values: Values, unit: number): Float64Array =>
  Float64Array.from({ length: values.length }, (_, i) => Number(values[i]) * unit);

/** The numbers that the integers of a state stand for, exactly, as the state is committed to. */
export function stateWeights({ state }: TrainingModel, integers: IntegerState): WeightMap {
  return new Map(
    state.map(({ state: { name, shape, type } }) => [
      name,
      { shape, values: inReals(integers.get(name) ?? [], unitOf(type)) },
    ]),
  );
}

/** The same numbers, for steps in float64. */
export const floatsOf = ({ state }: TrainingModel, integers: IntegerState): FloatState =>
  new Map(state.map(({ state: { name, type } }) => [name, inReals(integers.get(name) ?? [], unitOf(type))]));

/**
 * The state whose numbers are in a file that `encodeState` wrote.
 * @throws ValueError for a tensor that is missing, has another shape, or an entry that is no multiple of its type's unit
 */
export async function readState({ state }: TrainingModel, weights: Weights): Promise<IntegerState> {
  const out = new Map<string, Values>();
  for (const { state: own } of state) {
    const { name, shape, type } = own;
    if (shapeOf(weights, 'state', name).join() !== shape.join())
      throw new Error(`internal error: ${name} of another shape`);
    out.set(name, quantise(name, shape, type, Array.from(await readTensor(weights, name))));
  }
  return out;
}

/** Bits that a float32 holds of every integer. */
const SINGLE = 24;

/** A file of safetensors with the numbers of a state, in floats that hold every one of them exactly. */
export function encodeState(model: TrainingModel, integers: IntegerState): Uint8Array {
  const types = new Map(model.state.map(({ state: { name, type } }) => [name, type]));
  const tensors = [...stateWeights(model, integers)].map(([name, { shape, values }]): [string, TensorToWrite] => {
    const type = types.get(name);
    return [name, { dtype: type?.kind === 'fixed' && type.bits <= SINGLE ? 'F32' : 'F64', shape, values }];
  });
  return writeSafetensors(new Map(tensors), 'state');
}
