/** Training in exact integers: those that the proof of a step is about. */
import { firstIntegers } from '../../compiler/check/optimizers/first.ts';
import type { TensorId, TensorType } from '../../compiler/ir/tensor/program.ts';
import type { Device } from '../../runtime/device/device.ts';
import { checkInputs, evaluateExactly, evaluateOn, type Numbers, type Values } from '../../runtime/evaluate/index.ts';
import { dequantise, quantise } from '../../runtime/integers/quantise.ts';
import { readTensor, shapeOf, type WeightMap, type Weights } from '../../runtime/weights.ts';
import { writeSafetensors, type TensorToWrite } from '../files/safetensors-writer.ts';
import type { FloatState } from './floats.ts';
import { stateName, type StatePlace, type TrainingModel } from './model.ts';

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
export function firstState({ state }: TrainingModel, weights: (names: readonly string[]) => Numbers): IntegerState {
  return new Map(
    state.map(({ input, state: { first, type, weight, shape } }) => {
      const own = quantise(weight.names[0], shape, weight.type, weights(weight.names));
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

/** One step. @throws EvaluationError for a value that its type does not hold */
export async function exactStep(
  { program, step, rows, state, losses }: TrainingModel,
  { integers, checked }: StepInputs,
  before: IntegerState,
  at: { readonly step: number; readonly rows: readonly number[] },
  device?: Device,
): Promise<ExactStep> {
  const inputs = new Map(integers);
  inputs.set(step.id, Float64Array.of(at.step));
  if (rows !== undefined) inputs.set(rows.id, Float64Array.from(at.rows));
  for (const { input } of state) inputs.set(input.id, before.get(stateName(input)) ?? new Float64Array());
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

/** The numbers that the integers of a state stand for, exactly, tensor by tensor as the state is committed to. */
export function stateWeights({ state }: TrainingModel, integers: IntegerState): WeightMap {
  return new Map(state.flatMap((place) => partsOf(place, integers.get(stateName(place.input)) ?? [])));
}

function partsOf(
  { state: { names, shape, stacked, type } }: StatePlace,
  values: Values,
): [name: string, { shape: readonly number[]; values: Float64Array }][] {
  const own = shape.slice(stacked);
  const size = own.reduce((n, d) => n * d, 1);
  const unit = unitOf(type);
  return names.map((name, k) => {
    const part = Float64Array.from({ length: size }, (_, i) => Number(values[k * size + i]) * unit);
    return [name, { shape: own, values: part }];
  });
}

const inReals = (values: Values, unit: number): Float64Array =>
  Float64Array.from({ length: values.length }, (_, i) => Number(values[i]) * unit);

/** The same numbers, tensor by tensor of the program. */
export const floatsOf = ({ state }: TrainingModel, integers: IntegerState): FloatState =>
  new Map(
    state.map(({ input, state: { type } }) => {
      const unit = unitOf(type);
      return [stateName(input), inReals(integers.get(stateName(input)) ?? [], unit)];
    }),
  );

/**
 * The state whose numbers are in a file that `encodeState` wrote.
 * @throws ValueError for a tensor that is missing, has another shape, or an entry that is no multiple of its type's unit
 */
export async function readState({ state }: TrainingModel, weights: Weights): Promise<IntegerState> {
  const out = new Map<string, Values>();
  for (const { input, state: own } of state) {
    const shape = own.shape.slice(own.stacked);
    const parts: number[] = [];
    for (const name of own.names) {
      if (shapeOf(weights, 'state', name).join() !== shape.join())
        throw new Error(`internal error: ${name} of another shape`);
      for (const value of Array.from(await readTensor(weights, name))) parts.push(value);
    }
    out.set(stateName(input), quantise(own.names[0], own.shape, own.type, parts));
  }
  return out;
}

/** Bits that a float32 holds of every integer. */
const SINGLE = 24;

/** A file of safetensors with the numbers of a state, in floats that hold every one of them exactly. */
export function encodeState(model: TrainingModel, integers: IntegerState): Uint8Array {
  const types = new Map(
    model.state.flatMap(({ state: { names, type } }) => names.map((name) => [name, type] as const)),
  );
  const tensors = [...stateWeights(model, integers)].map(([name, { shape, values }]): [string, TensorToWrite] => {
    const type = types.get(name);
    return [name, { dtype: type?.kind === 'fixed' && type.bits <= SINGLE ? 'F32' : 'F64', shape, values }];
  });
  return writeSafetensors(new Map(tensors), 'state');
}
