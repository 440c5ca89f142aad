/**
 * What rounding each value does to the scores and to the gradients of one step, measured in float64: the step is run with that value
 * rounded and nothing else.
 */
import type { FixedType } from '../../compiler/check/index.ts';
import { gradientKey, isGradientKey } from '../../compiler/check/names/paths.ts';
import { needed, prune } from '../../compiler/check/statements/prune.ts';
import type { Tensor, TensorId, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import type { Device } from '../../runtime/device/device.ts';
import type { Numbers, RealOptions } from '../../runtime/evaluate/index.ts';
import { logitsOf, runReal } from '../calibrate/compare.ts';
import { divergence, groupsOf, pricesOf, relativeError } from '../calibrate/effect.ts';
import type { Observations } from '../calibrate/observe.ts';
import { plainSum } from '../calibrate/scales.ts';
import type { TrainingModel } from './model.ts';

/** A value in all layers. */
export interface ValueEffect {
  readonly keys: readonly string[];
  /** What rounding it does to scores, in nats a position; 0 where there are none, and where they do not depend on it. */
  readonly effect: number;
  /** The squared error of each trained weight's gradient, over its square. */
  readonly gradients: Float64Array;
  /** The part of all lookups that a second limb would add. */
  readonly price: number;
}

/** Keys of the gradients of trained weights. */
export const gradientKeys = ({ state }: TrainingModel): string[] => [
  ...new Set(state.map(({ state: { weight } }) => gradientKey(`${weight.source}:${weight.name}`))),
];

export interface StepEffects {
  readonly values: readonly ValueEffect[];
  /** The squared error of each gradient that comes from elsewhere: weights, and cotangents that are not among the values. */
  readonly others: Float64Array;
}

/** The squared error of a gradient from all cotangents together up to which none of them is looked at alone. */
const ENOUGH = 0.0035 ** 2;

/**
 * @param inputs numbers of all inputs of the step
 * @param types what values and weights are rounded to, by calibration key
 * @param report told before each run
 */
export async function measureStep(
  model: TrainingModel,
  inputs: ReadonlyMap<TensorId, Numbers>,
  observations: Observations,
  types: ReadonlyMap<string, FixedType>,
  device: Device | undefined,
  report: (done: number, what: string) => void,
): Promise<StepEffects> {
  const own = new Set(gradientKeys(model));
  const gradients = model.program.tensors.filter(({ key }) => key !== undefined && own.has(key));
  const scores = logitsOf(model.program, undefined);
  const { program, place, moved } = upTo(model.program, [...gradients, ...(scores ? [scores] : [])]);
  const [values, cotangents] = [false, true].map((isCotangent) => {
    const keys = program.tensors.flatMap(({ key }) =>
      key === undefined || own.has(key) || isGradientKey(key) !== isCotangent ? [] : [key],
    );
    return groupsOf({
      keys: new Map([...observations.keys].filter(([key]) => keys.includes(key))),
    });
  });
  const prices = pricesOf(program, new Map([...values, ...cotangents]));
  const given = moved(inputs);
  const logits = scores && { id: place(scores.id), vocabulary: scores.shape[1] };
  const wanted = gradients.map(({ id }) => place(id));
  const keep: RealOptions['keep'] = ({ id }) => id === logits?.id || wanted.includes(id);
  const summands = exactly(program, types);
  const runWith = (isRounded: (tensor: Tensor) => boolean): Promise<ReadonlyMap<TensorId, Numbers>> =>
    runReal(device, program, given, {
      keep,
      each: (tensor, numbers) => {
        const type = tensor.key === undefined ? undefined : types.get(tensor.key);
        if (type === undefined || !isRounded(tensor) || summands(tensor) !== undefined) return undefined;
        return numbers.map((v) => Math.round(v * 2 ** type.frac) / 2 ** type.frac);
      },
    });
  const groups = merged(program, values, summands);
  const runs = groups.size + 3;
  report(0, 'without roundings');
  const exact = await runWith(() => false);
  const pair = (made: ReadonlyMap<TensorId, Numbers>, id: TensorId): [Numbers, Numbers] => [
    exact.get(id) ?? new Float64Array(),
    made.get(id) ?? new Float64Array(),
  ];
  const errorsOf = (made: ReadonlyMap<TensorId, Numbers>): Float64Array =>
    Float64Array.from(wanted, (id) => {
      const [own, rounded] = pair(made, id);
      // One that is 0 without roundings, as of a `lora_A` beside a `lora_B` of 0, has no relative error.
      return own.every((v) => v === 0) ? 0 : relativeError(own, rounded);
    });
  report(1 / runs, 'weights');
  const others = errorsOf(await runWith(({ file }) => file !== undefined));
  report(2 / runs, 'all cotangents');
  const backward = errorsOf(
    await runWith(({ key, file }) => file === undefined && key !== undefined && isGradientKey(key)),
  );
  const alone = backward.some((error) => error > ENOUGH);
  if (!alone) backward.forEach((error, t) => (others[t] += error));
  if (alone) for (const [group, keys] of cotangents) groups.set(group, keys);
  const effects: ValueEffect[] = [];
  for (const [group, keys] of groups) {
    report((3 + effects.length) / (3 + groups.size), group);
    const made = await runWith(({ key, file }) => file === undefined && key !== undefined && keys.includes(key));
    effects.push({
      keys,
      effect: logits === undefined ? 0 : divergence(...pair(made, logits.id), logits.vocabulary),
      gradients: errorsOf(made),
      price: prices.get(group) ?? 0,
    });
  }
  return { values: effects, others };
}

/**
 * The keys of what a tensor is a sum or difference of, where none is finer than it is: once those are rounded, it needs no rounding.
 * Undefined of others.
 */
function exactly(
  { tensors, equations }: TensorProgram,
  types: ReadonlyMap<string, FixedType>,
): (tensor: Tensor) => string[] | undefined {
  const definitions = new Map(equations.map((e) => [e.target, e.definition]));
  const keysOf = (id: TensorId): (string | undefined)[] => {
    const { key } = tensors[id];
    const definition = definitions.get(id);
    return key === undefined && definition?.kind === 'max' ? plainSum(definition).flatMap(keysOf) : [key];
  };
  return ({ id, key }) => {
    const frac = key === undefined ? undefined : types.get(key)?.frac;
    const keys = plainSum(definitions.get(id)).flatMap(keysOf);
    const fits = (own: string | undefined): own is string =>
      own !== undefined && frac !== undefined && (types.get(own)?.frac ?? Infinity) <= frac;
    return keys.length > 0 && keys.every(fits) ? keys : undefined;
  };
}

/** Groups in which those that need no rounding are part of one that they are made of: their types go together. */
function merged(
  { tensors }: TensorProgram,
  groups: ReadonlyMap<string, readonly string[]>,
  summands: (tensor: Tensor) => string[] | undefined,
): Map<string, string[]> {
  const byKey = Map.groupBy(tensors, ({ key }) => key);
  const made = new Map([...groups].map(([group, keys]) => [group, [...keys]]));
  for (const [group, keys] of groups) {
    const from = keys.flatMap((key) => byKey.get(key) ?? []).map(summands);
    const [first] = from;
    const target =
      first !== undefined && from.every((own) => own !== undefined)
        ? [...made].find(([name, others]) => name !== group && first.some((key) => others.includes(key)))
        : undefined;
    if (target === undefined) continue;
    target[1].push(...(made.get(group) ?? []));
    made.delete(group);
  }
  return made;
}

/** The part of a program that some tensors need, and where its tensors are. */
function upTo(
  program: TensorProgram,
  wanted: readonly { readonly id: TensorId }[],
): {
  readonly program: TensorProgram;
  readonly place: (id: TensorId) => TensorId;
  readonly moved: (inputs: ReadonlyMap<TensorId, Numbers>) => Map<TensorId, Numbers>;
} {
  const { name, tensors, equations, tables, statement } = program;
  const keep = needed(
    equations,
    wanted.map(({ id }) => id),
  );
  const ids = new Map(tensors.filter((t) => keep.has(t.id)).map((t, k) => [t.id, k]));
  const place = (id: TensorId): TensorId => ids.get(id) ?? -1;
  return {
    program: prune({ name, tensors, equations, tables, statement: statement.filter((t) => keep.has(t)) }, keep),
    place,
    moved: (inputs) => new Map([...inputs].flatMap(([t, values]) => (ids.has(t) ? [[place(t), values] as const] : []))),
  };
}
