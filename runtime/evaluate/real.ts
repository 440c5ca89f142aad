/**
 * What a program computes before anything is rounded: float64 throughout, `round` the identity, tables the functions they
 * tabulate. Constants are as the program has them, and arguments of saturating tables are clamped.
 */
import { requireDevice, requireNumbers, requireRun } from '../../compiler/ir/arguments.ts';
import type { Definition, Polynomial, Tensor, TensorId } from '../../compiler/ir/tensor/program.ts';
import { toNumber } from '../../compiler/ir/numbers/rational.ts';
import { ValueError } from '../../compiler/ir/errors.ts';
import type { Device } from '../device/device.ts';
import { lastReaders, type Evaluated, type EvaluateOptions } from './exact.ts';
import { realFunction } from './tensor/functions.ts';
import { maximumPositions } from './tensor/maximum.ts';
import type { FactorSource } from './tensor/operands.ts';
import { onDevice, onHost, type Evaluation, type Place } from './sums/products.ts';
import { sumTerms } from './sums/sums.ts';
import { sumTermsOf } from './tensor/terms.ts';
import { sizeOf, type Numbers } from './values.ts';

export interface RealOptions extends Pick<EvaluateOptions, 'progress' | 'keep'> {
  /** Told of each tensor when its numbers are known; what it returns takes their place for all that reads them. */
  readonly each?: (tensor: Tensor, values: Numbers) => Numbers | undefined;
}

/**
 * @param inputs the numbers of each tensor of role `input`; of index tensors the indices
 * @returns the numbers of every tensor that is kept, inputs included
 * @throws ValueError for an input that is missing or has another size
 */
export function evaluateReal(
  program: Evaluated,
  inputs: ReadonlyMap<TensorId, Numbers>,
  options: RealOptions = {},
): Map<TensorId, Numbers> {
  requireRun(program, inputs);
  return onHost((place) => evaluate(place, program, inputs, options));
}

/** As `evaluateReal`, with large products of matrices on the threads of a device that has float64. The last bits may differ. */
export async function evaluateRealOn(
  device: Device,
  program: Evaluated,
  inputs: ReadonlyMap<TensorId, Numbers>,
  options: RealOptions = {},
): Promise<Map<TensorId, Numbers>> {
  requireDevice('device', device, 'multiplyIntegers');
  requireRun(program, inputs);
  return device.exclusive(() => onDevice(device, (place) => evaluate(place, program, inputs, options)));
}

function* evaluate(
  place: Place,
  program: Evaluated,
  inputs: ReadonlyMap<TensorId, Numbers>,
  { progress, keep, each }: RealOptions,
): Evaluation<Map<TensorId, Numbers>> {
  const { tensors, equations } = program;
  const known = new Map<TensorId, Numbers>();
  const source: FactorSource = {
    shape: (id) => tensors[id].shape,
    values: (id) => {
      const values = known.get(id);
      if (!values) throw new Error(`internal error: ${tensors[id].name} is read before it is defined`);
      return values;
    },
    bound: () => undefined,
  };
  const set = (tensor: Tensor, values: Numbers): void => {
    known.set(tensor.id, each?.(tensor, values) ?? values);
  };
  for (const tensor of tensors) if (tensor.role === 'input') set(tensor, checkInput(tensor, inputs.get(tensor.id)));
  const last = keep && lastReaders(program);
  for (const [k, { target, definition }] of equations.entries()) {
    progress?.(k, equations.length);
    set(tensors[target], yield* evaluateDefinition(place, program, definition, tensors[target], source));
    for (const id of last?.get(k) ?? []) if (keep?.(tensors[id]) === false) known.delete(id);
  }
  return known;
}

function checkInput(tensor: Tensor, given: Numbers | undefined): Numbers {
  if (given === undefined)
    throw new ValueError(`${tensor.name}: no values given`, { tensor: tensor.name, problem: { kind: 'missing' } });
  requireNumbers(`inputs[${tensor.id}]`, given);
  const size = sizeOf(tensor.shape);
  if (given.length === size) return given;
  throw new ValueError(
    `${tensor.name} has ${given.length} entries, its shape [${tensor.shape.join(', ')}] has ${size}`,
    { tensor: tensor.name, problem: { kind: 'shape', expected: tensor.shape, given: [given.length] } },
  );
}

/** Coefficients of a polynomial are for integers: for the numbers they stand for each tensor's scale is taken out again. */
function* evaluatePolynomial(
  place: Place,
  tensors: readonly Tensor[],
  p: Polynomial,
  shape: readonly number[],
  source: FactorSource,
): Evaluation<Float64Array> {
  const scale = toNumber(p.scale);
  const terms = sumTermsOf(p, shape, source, (term) =>
    term.factors.reduce((c, f) => c / toNumber(tensors[f.tensor].scale), Number(term.coefficient) * scale),
  );
  const sums = (yield* sumTerms(place, shape, terms)) as Numbers;
  return sums instanceof Float64Array ? sums : Float64Array.from(sums);
}

function* evaluateDefinition(
  place: Place,
  { tensors, tables }: Evaluated,
  definition: Definition,
  tensor: Tensor,
  source: FactorSource,
): Evaluation<Numbers> {
  const polynomial = (p: Polynomial, shape: readonly number[]): Evaluation<Float64Array> =>
    evaluatePolynomial(place, tensors, p, shape, source);
  switch (definition.kind) {
    case 'constant': {
      const scale = toNumber(tensor.scale);
      return Float64Array.from(definition.values, (v) => Number(v) * scale);
    }
    case 'polynomial':
      return yield* polynomial(definition.polynomial, tensor.shape);
    case 'round': {
      const { form, p, q, clamp } = definition;
      const values = yield* polynomial(p, tensor.shape);
      if (form === 'sqrt(P)') return values.map(Math.sqrt);
      if (q !== undefined) {
        const under = yield* polynomial(q, tensor.shape);
        return values.map((v, k) => v / (form === 'P/sqrt(Q)' ? Math.sqrt(under[k]) : under[k]));
      }
      if (clamp === undefined) return values;
      const [lo, hi] = [clamp.lo, clamp.hi].map((v) => Number(v) * toNumber(tensor.scale));
      return values.map((v) => Math.min(Math.max(v, lo), hi));
    }
    case 'table': {
      const f = realFunction(tables[definition.table]);
      const argument = source.values(definition.argument) as Numbers;
      const values = new Float64Array(argument.length);
      for (let k = 0; k < values.length; k++) values[k] = f(argument[k]);
      return values;
    }
    case 'max':
    case 'argmax':
      return yield* maximum(definition, tensor.shape, source, polynomial);
  }
}

function* maximum(
  { kind, over, guards, of }: Definition & { readonly kind: 'max' | 'argmax' },
  outputs: readonly number[],
  source: FactorSource,
  polynomial: (p: Polynomial, shape: readonly number[]) => Evaluation<Float64Array>,
): Evaluation<Float64Array> {
  const lengths = over.map((v) => v.size);
  const values = yield* polynomial(of, [...outputs, ...lengths]);
  const found = maximumPositions(values, outputs, lengths, guards, source);
  return Float64Array.from(found, (k) => (kind === 'max' ? values[k] : k % lengths[0]));
}
