/**
 * The integers of every tensor of a program, fast: the same as those of the reference interpreter (`compiler/interpret`),
 * which defines them.
 */
import { requireBigints, requireDevice, requireNumbers, requireRun } from '../../compiler/ir/arguments.ts';
import type {
  Definition,
  Equation,
  Polynomial,
  Table,
  Tensor,
  TensorId,
  TensorProgram,
} from '../../compiler/ir/tensor/program.ts';
import { multiply, powerOfTwo } from '../../compiler/ir/numbers/rational.ts';
import { readTensors } from '../../compiler/ir/tensor/walk.ts';
import { roundForm } from '../../compiler/ir/numbers/rounding.ts';
import { ValueError } from '../../compiler/ir/errors.ts';
import type { Device } from '../device/device.ts';
import { outside, rangeMagnitude, toComputed, type ComputedIntegers } from '../integers/arrays.ts';
import { EvaluationError } from './errors.ts';
import { maximumPositions } from './tensor/maximum.ts';
import type { FactorSource } from './tensor/operands.ts';
import { rounded } from './tensor/rounding.ts';
import type { FactorArray } from './sums/factors.ts';
import { onDevice, onHost, type Evaluation, type Place } from './sums/products.ts';
import { sumTerms } from './sums/sums.ts';
import { tableDoubles } from './tensor/tables.ts';
import { sumTermsOf } from './tensor/terms.ts';
import { inDoubles, isWide, magnitude, narrow, sizeOf, type Values } from './values.ts';

/** What an evaluation needs of a program. */
export type Evaluated = Pick<TensorProgram, 'tensors' | 'tables' | 'equations'>;

export interface EvaluateOptions {
  /** Called before each equation, with how many are done. */
  readonly progress?: (done: number, all: number) => void;
  /** Whether a tensor is wanted in the result; others are forgotten after their last reader. Default: all are. */
  readonly keep?: (tensor: Tensor) => boolean;
  /** What `checkInputs` said of inputs, where they are the same as then: weights are looked through once for many runs. */
  readonly checked?: ReadonlyMap<TensorId, bigint>;
}

/**
 * Looks through inputs before runs: whether they have their shapes and ranges.
 *
 * @returns the largest magnitude of each
 * @throws EvaluationError for an entry outside its type, ValueError for one of another size
 */
export function checkInputs(
  { tensors }: Pick<Evaluated, 'tensors'>,
  inputs: ReadonlyMap<TensorId, Values>,
): Map<TensorId, bigint> {
  return new Map([...inputs].map(([id, values]) => [id, boundOfValues(tensors[id], checkInput(tensors[id], values))]));
}

function boundOfValues({ range }: Tensor, values: Values): bigint {
  const small = inDoubles(values);
  return small === undefined ? rangeMagnitude(range) : BigInt(Math.ceil(magnitude(small)));
}

/**
 * @param inputs the integers of each tensor of role `input`
 * @returns the integers of every tensor, inputs included
 * @throws EvaluationError for an entry outside its type, a divisor that is not positive, an argument without a table value
 * @throws ValueError for an input that is missing or has another size
 */
export function evaluateExactly(
  program: Evaluated,
  inputs: ReadonlyMap<TensorId, Values>,
  options: EvaluateOptions = {},
): Map<TensorId, Values> {
  requireRun(program, inputs);
  return onHost((place) => evaluate(place, program, inputs, options));
}

/** As `evaluateExactly`, with large products of matrices on a device: the same integers. */
export async function evaluateOn(
  device: Device,
  program: Evaluated,
  inputs: ReadonlyMap<TensorId, Values>,
  options: EvaluateOptions = {},
): Promise<Map<TensorId, Values>> {
  requireDevice('device', device, 'multiplyIntegers');
  requireRun(program, inputs);
  return device.exclusive(() => onDevice(device, (place) => evaluate(place, program, inputs, options)));
}

function* evaluate(
  place: Place,
  program: Evaluated,
  inputs: ReadonlyMap<TensorId, Values>,
  { progress, keep, checked }: EvaluateOptions,
): Evaluation<Map<TensorId, Values>> {
  const store = createStore(program.tensors, checked);
  for (const tensor of program.tensors) {
    if (tensor.role !== 'input') continue;
    const given = inputs.get(tensor.id);
    store.set(tensor.id, given !== undefined && checked?.has(tensor.id) ? given : checkInput(tensor, given));
  }
  const last = keep && lastReaders(program);
  for (const [k, equation] of program.equations.entries()) {
    progress?.(k, program.equations.length);
    store.set(equation.target, yield* evaluateEquation(place, program, equation, store));
    for (const id of last?.get(k) ?? []) if (keep?.(program.tensors[id]) === false) store.forget(id);
  }
  return store.known;
}

/** The tensors known so far, and bounds of their entries. */
interface Store extends FactorSource {
  readonly known: Map<TensorId, Values>;
  set(id: TensorId, given: Values): void;
  forget(id: TensorId): void;
}

function createStore(tensors: readonly Tensor[], checked: EvaluateOptions['checked']): Store {
  const known = new Map<TensorId, Values>();
  /** Those that doubles hold although their range does not say so. */
  const small = new Map<TensorId, Values>();
  const bounds = new Map(checked);
  const values = (id: TensorId): FactorArray => {
    const own = small.get(id) ?? known.get(id) ?? internal(`${tensors[id].name} is read before it is defined`);
    if (!isWide(own)) return own;
    const made = inDoubles(own) ?? own;
    small.set(id, made);
    return made as FactorArray;
  };
  return {
    known,
    shape: (id) => tensors[id].shape,
    values,
    bound: (id) => {
      let bound = bounds.get(id);
      if (bound === undefined) {
        const own = values(id) as Values;
        bound = isWide(own) ? rangeMagnitude(tensors[id].range) : BigInt(Math.ceil(magnitude(own)));
        bounds.set(id, bound);
      }
      return bound;
    },
    set: (id, given) => {
      known.set(id, given);
    },
    forget: (id) => {
      known.delete(id);
      small.delete(id);
    },
  };
}

function internal(message: string): never {
  throw new Error(`internal error: ${message}`);
}

/** For each equation the tensors that nothing after it reads. */
export function lastReaders({ equations }: Evaluated): Map<number, TensorId[]> {
  const last = new Map<TensorId, number>();
  for (const [k, { target, definition }] of equations.entries())
    for (const id of [target, ...readTensors(definition)]) last.set(id, k);
  const out = new Map<number, TensorId[]>();
  for (const [id, k] of last) out.set(k, [...(out.get(k) ?? []), id]);
  return out;
}

function checkInput(tensor: Tensor, given: Values | undefined): Values {
  if (given === undefined)
    throw new ValueError(`${tensor.name}: no values given`, { tensor: tensor.name, problem: { kind: 'missing' } });
  if (Array.isArray(given)) requireBigints(`inputs[${tensor.id}]`, given);
  else if (!(given instanceof BigInt64Array)) requireNumbers(`inputs[${tensor.id}]`, given);
  const size = sizeOf(tensor.shape);
  if (given.length !== size)
    throw new ValueError(
      `${tensor.name} has ${given.length} entries, its shape [${tensor.shape.join(', ')}] has ${size}`,
      { tensor: tensor.name, problem: { kind: 'shape', expected: tensor.shape, given: [given.length] } },
    );
  checkRange(tensor, given);
  return given;
}

function checkRange(tensor: Tensor, values: Values): void {
  const k = outside(tensor.range, values as ComputedIntegers);
  if (k >= 0) throw new EvaluationError(tensor, k, BigInt(values[k]), 'range');
}

/** The integers of an equation's target as its range is held. @throws EvaluationError */
function* evaluateEquation(
  place: Place,
  program: Evaluated,
  { target, definition }: Equation,
  source: FactorSource,
): Evaluation<Values> {
  const tensor = program.tensors[target];
  const values = yield* evaluateDefinition(place, program, definition, tensor, source);
  checkRange(tensor, values);
  return toComputed(values, tensor.range);
}

function* evaluateDefinition(
  place: Place,
  program: Evaluated,
  definition: Definition,
  tensor: Tensor,
  source: FactorSource,
): Evaluation<ComputedIntegers> {
  switch (definition.kind) {
    case 'constant':
      return [...definition.values];
    case 'polynomial':
      return yield* polynomial(place, definition.polynomial, tensor.shape, source);
    case 'round':
      return definition.form === 'P'
        ? yield* roundPolynomial(place, definition, tensor, source)
        : yield* roundQuotient(place, definition, tensor, source);
    case 'table':
      return applyTable(program.tables[definition.table], program.tensors[definition.argument], source);
    case 'max':
    case 'argmax':
      return yield* maximum(place, definition, tensor.shape, source);
  }
}

const polynomial = (
  place: Place,
  p: Polynomial,
  outputs: readonly number[],
  source: FactorSource,
): Evaluation<ComputedIntegers> =>
  sumTerms(
    place,
    outputs,
    sumTermsOf(p, outputs, source, (term) => term.coefficient),
  );

type Round = Definition & { readonly kind: 'round' };

function* roundPolynomial(
  place: Place,
  { p, frac, clamp }: Round,
  tensor: Tensor,
  source: FactorSource,
): Evaluation<ComputedIntegers> {
  const sums = yield* polynomial(place, p, tensor.shape, source);
  const values = rounded(sums, multiply(p.scale, powerOfTwo(frac)));
  if (values === undefined) {
    const one = { num: 1n, den: 1n };
    return Array.from(sums, (v: number | bigint) =>
      clamped(roundForm('P', multiply({ num: BigInt(v), den: 1n }, p.scale), one, frac), clamp),
    );
  }
  if (clamp === undefined) return values;
  const [lo, hi] = [Number(clamp.lo), Number(clamp.hi)];
  return values.map((v) => Math.min(Math.max(v, lo), hi));
}

const clamped = (value: bigint, clamp: Round['clamp']): bigint =>
  clamp === undefined ? value : value < clamp.lo ? clamp.lo : value > clamp.hi ? clamp.hi : value;

/** Quotients and roots, of which blocks take one a row. */
function* roundQuotient(
  place: Place,
  { form, p, q, frac, clamp }: Round,
  tensor: Tensor,
  source: FactorSource,
): Evaluation<ComputedIntegers> {
  const tops = yield* polynomial(place, p, tensor.shape, source);
  const bottoms = q && (yield* polynomial(place, q, tensor.shape, source));
  const values: bigint[] = [];
  for (let k = 0; k < tops.length; k++) {
    const top = BigInt(tops[k]);
    const bottom = bottoms === undefined ? 1n : BigInt(bottoms[k]);
    if (bottom <= 0n) throw new EvaluationError(tensor, k, bottom, 'divisor');
    if (form === 'sqrt(P)' && top < 0n) throw new EvaluationError(tensor, k, top, 'divisor');
    const numerator = multiply({ num: top, den: 1n }, p.scale);
    const divisor = multiply({ num: bottom, den: 1n }, q?.scale ?? p.scale);
    const value = clamped(roundForm(form, numerator, divisor, frac), clamp);
    // In order of the entries, as divisors are refused.
    if (value < tensor.range.lo || value > tensor.range.hi) throw new EvaluationError(tensor, k, value, 'range');
    values.push(value);
  }
  return values;
}

function applyTable(table: Table, argument: Tensor, source: FactorSource): ComputedIntegers {
  const entries = tableDoubles(table.values);
  const [first, last] = [Number(table.first), entries.length - 1];
  const out = new Float64Array(sizeOf(argument.shape));
  const given = narrow(source.values(argument.id));
  for (let k = 0; k < out.length; k++) {
    let row = given[k] - first;
    if (row < 0 || row > last) {
      if (!table.saturate) throw new EvaluationError(argument, k, BigInt(given[k]), 'range');
      row = row < 0 ? 0 : last;
    }
    out[k] = entries[row];
  }
  return out;
}

/** The maximum, or the smallest index that attains it. */
function* maximum(
  place: Place,
  { kind, over, guards, of }: Definition & { readonly kind: 'max' | 'argmax' },
  outputs: readonly number[],
  source: FactorSource,
): Evaluation<ComputedIntegers> {
  const lengths = over.map((v) => v.size);
  const sums = yield* polynomial(place, of, [...outputs, ...lengths], source);
  const values = inDoubles(sums) ?? sums;
  const found = maximumPositions(values, outputs, lengths, guards, source);
  if (kind === 'argmax') return Float64Array.from(found, (k) => k % lengths[0]);
  return isWide(values) ? Array.from(found, (k) => values[k]) : Float64Array.from(found, (k) => values[k]);
}
