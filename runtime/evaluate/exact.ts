/**
 * The integers of every tensor of a program, fast: the same as those of the reference interpreter (`compiler/interpret`),
 * which defines them. Doubles compute what they compute exactly, checked on the actual numbers; the rest is bigints.
 */
import { requireBigints, requireNumbers, requireRun } from '../../compiler/ir/arguments.ts';
import type {
  Definition,
  Equation,
  Polynomial,
  Table,
  Tensor,
  TensorId,
  TensorProgram,
  Term,
} from '../../compiler/ir/tensor/program.ts';
import { multiply, powerOfTwo } from '../../compiler/ir/numbers/rational.ts';
import { readTensors } from '../../compiler/ir/tensor/walk.ts';
import { roundForm } from '../../compiler/ir/numbers/rounding.ts';
import { ValueError } from '../../compiler/ir/errors.ts';
import { outside, toComputed, type ComputedIntegers } from '../integers/arrays.ts';
import { EvaluationError } from './errors.ts';
import { maximumPositions } from './maximum.ts';
import type { OperandSource } from './operands.ts';
import { evaluatePolynomial, type Arithmetic } from './polynomial.ts';
import { roundAll } from './rounding.ts';
import {
  EXACT,
  isWide,
  magnitude,
  narrow,
  sizeOf,
  TooWide,
  toBigints,
  type Values,
  type Working,
  workingOf,
} from './values.ts';
import { evaluateWide } from './wide.ts';

/** What an evaluation needs of a program. */
export type Evaluated = Pick<TensorProgram, 'tensors' | 'tables' | 'equations'>;

export interface EvaluateOptions {
  /** Called before each equation, with how many are done. */
  readonly progress?: (done: number, all: number) => void;
  /** Whether a tensor is wanted in the result; others are forgotten after their last reader. Default: all are. */
  readonly keep?: (tensor: Tensor) => boolean;
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
  const { progress, keep } = options;
  const store = createStore(program.tensors);
  for (const tensor of program.tensors)
    if (tensor.role === 'input') store.set(tensor.id, checkInput(tensor, inputs.get(tensor.id)));
  const last = keep && lastReaders(program);
  for (const [k, equation] of program.equations.entries()) {
    progress?.(k, program.equations.length);
    store.set(equation.target, evaluateEquation(program, equation, store));
    for (const id of last?.get(k) ?? []) if (keep?.(program.tensors[id]) === false) store.forget(id);
  }
  return store.known;
}

/** The tensors known so far, and bounds of their entries. */
interface Store extends OperandSource {
  readonly known: Map<TensorId, Values>;
  set(id: TensorId, given: Values): void;
  forget(id: TensorId): void;
}

function createStore(tensors: readonly Tensor[]): Store {
  const known = new Map<TensorId, Values>();
  const working = new Map<TensorId, Working>();
  const values = (id: TensorId): Working => {
    const own = known.get(id) ?? internal(`${tensors[id].name} is read before it is defined`);
    if (!isWide(own)) return own;
    const made = working.get(id) ?? workingOf(own);
    working.set(id, made);
    return made;
  };
  const bounds = new Map<TensorId, number>();
  return {
    known,
    shape: (id) => tensors[id].shape,
    values,
    bound: (id) => {
      let bound = bounds.get(id);
      if (bound === undefined) bounds.set(id, (bound = magnitude(narrow(values(id)))));
      return bound;
    },
    set: (id, given) => {
      known.set(id, given);
    },
    forget: (id) => {
      known.delete(id);
      working.delete(id);
    },
  };
}

function internal(message: string): never {
  throw new Error(`internal error: ${message}`);
}

/** For each equation the tensors that nothing after it reads. */
function lastReaders({ equations }: Evaluated): Map<number, TensorId[]> {
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

const ARITHMETIC: Arithmetic = {
  exact: true,
  coefficient: ({ coefficient }: Term) => {
    const value = Number(coefficient);
    if (Math.abs(value) >= EXACT) throw new TooWide();
    return value;
  },
};

/** The integers of an equation's target as its range is held, given those of the tensors it reads. @throws EvaluationError */
export function evaluateEquation(program: Evaluated, equation: Equation, source: OperandSource): Values {
  const tensor = program.tensors[equation.target];
  const { definition } = equation;
  const values = evaluateDefinition(program, definition, tensor, source);
  checkRange(tensor, values);
  return toComputed(values as ComputedIntegers, tensor.range);
}

function evaluateDefinition(
  program: Evaluated,
  definition: Definition,
  tensor: Tensor,
  source: OperandSource,
): Working {
  switch (definition.kind) {
    case 'constant':
      return workingOf(definition.values);
    case 'polynomial':
      return polynomial(definition.polynomial, tensor.shape, source);
    case 'round':
      return definition.form === 'P'
        ? roundPolynomial(definition, tensor, source)
        : roundQuotient(definition, tensor, source);
    case 'table':
      return applyTable(program.tables[definition.table], program.tensors[definition.argument], source);
    case 'max':
    case 'argmax':
      return maximum(definition, tensor.shape, source);
  }
}

/** In doubles if they are exact, else in bigints. */
function polynomial(p: Polynomial, outputs: readonly number[], source: OperandSource): Working {
  try {
    return evaluatePolynomial(p, outputs, source, ARITHMETIC);
  } catch (error) {
    if (!(error instanceof TooWide)) throw error;
    return workingOf(evaluateWide(p, outputs, source));
  }
}

type Round = Definition & { readonly kind: 'round' };

function roundPolynomial({ p, frac, clamp }: Round, tensor: Tensor, source: OperandSource): Working {
  const sums = polynomial(p, tensor.shape, source);
  const scale = multiply(p.scale, powerOfTwo(frac));
  let values: Float64Array;
  try {
    values = roundAll(Float64Array.from(narrow(sums)), scale);
  } catch (error) {
    if (!(error instanceof TooWide)) throw error;
    const one = { num: 1n, den: 1n };
    return toBigints(sums).map((v) =>
      clamped(roundForm('P', multiply({ num: v, den: 1n }, p.scale), one, frac), clamp),
    );
  }
  if (clamp === undefined) return values;
  const [lo, hi] = [Number(clamp.lo), Number(clamp.hi)];
  return values.map((v) => Math.min(Math.max(v, lo), hi));
}

const clamped = (value: bigint, clamp: Round['clamp']): bigint =>
  clamp === undefined ? value : value < clamp.lo ? clamp.lo : value > clamp.hi ? clamp.hi : value;

/** Quotients and roots, of which blocks take one a row. */
function roundQuotient({ form, p, q, frac, clamp }: Round, tensor: Tensor, source: OperandSource): Working {
  const tops = polynomial(p, tensor.shape, source);
  const bottoms = q && polynomial(q, tensor.shape, source);
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
  return workingOf(values);
}

function applyTable(table: Table, argument: Tensor, source: OperandSource): Working {
  const entries = Float64Array.from(table.values, Number);
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
function maximum(
  { kind, over, guards, of }: Definition & { readonly kind: 'max' | 'argmax' },
  outputs: readonly number[],
  source: OperandSource,
): Working {
  const lengths = over.map((v) => v.size);
  const values = polynomial(of, [...outputs, ...lengths], source);
  const found = maximumPositions(values, outputs, lengths, guards, source);
  if (kind === 'argmax') return Float64Array.from(found, (k) => k % lengths[0]);
  return isWide(values) ? workingOf(Array.from(found, (k) => values[k])) : Float64Array.from(found, (k) => values[k]);
}
