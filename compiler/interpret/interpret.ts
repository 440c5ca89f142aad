/**
 * The reference interpreter: the meaning of a tensor program. Every lowering, device and proof gives exactly these
 * integers. Written to be read; doubles stand in for bigints only where the proved ranges say that they are exact.
 */
import { kindOf, requireBigints, requireObject, requireRun } from '../ir/arguments.ts';
import { ArgumentError } from '../ir/errors.ts';
import type { Definition, Equation, Range, Table, Tensor, TensorId, TensorProgram } from '../ir/tensor/program.ts';
import { roundForm } from '../ir/numbers/rounding.ts';
import { compileGuards, compilePolynomial } from './polynomial.ts';
import type { Point, Store } from './polynomial.ts';
import { multiply, signedBits } from '../ir/numbers/rational.ts';
import { valueError, indexAt } from './tensor.ts';
import type { IntTensor } from './tensor.ts';

/**
 * The integers of every tensor of a program, inputs included.
 *
 * @param inputs one tensor for each tensor of role `input`, in integers of its type
 * @throws ValueError naming the tensor and the entry where an input is missing, has another shape or an entry outside
 *   its type; where a rounded value does not fit its type; where a divisor is not positive; where a table has no value.
 */
export function interpret(program: TensorProgram, inputs: ReadonlyMap<TensorId, IntTensor>): Map<TensorId, IntTensor> {
  requireRun(program, inputs);
  const known = new Map<TensorId, IntTensor>();
  const doubles = new Map<TensorId, Float64Array>();
  const store: Store = {
    tensors: program.tensors,
    values: (id) => known.get(id)?.values ?? internal(`tensor ${id} is read before it is defined`),
    numbers: (id) => {
      let numbers = doubles.get(id);
      if (numbers === undefined) doubles.set(id, (numbers = Float64Array.from(store.values(id), Number)));
      return numbers;
    },
  };
  for (const tensor of program.tensors)
    if (tensor.role === 'input') known.set(tensor.id, checkInput(tensor, inputs.get(tensor.id)));
  for (const equation of program.equations) {
    const tensor = program.tensors[equation.target];
    known.set(tensor.id, { shape: tensor.shape, values: evaluate(program, equation, tensor, store) });
  }
  return known;
}

function internal(message: string): never {
  throw new Error(`internal error: ${message}`);
}

function checkInput(tensor: Tensor, given: IntTensor | undefined): IntTensor {
  if (given === undefined) throw valueError(tensor.name, { kind: 'missing' });
  const at = `inputs[${tensor.id}]`;
  requireObject(at, given, '{ shape, values }');
  requireBigints(`${at}.values`, given.values);
  if (!Array.isArray(given.shape)) throw new ArgumentError(`${at}.shape`, 'an array of lengths', kindOf(given.shape));
  const size = tensor.shape.reduce((n, length) => n * length, 1);
  if (given.shape.join() !== tensor.shape.join() || given.values.length !== size)
    throw valueError(tensor.name, { kind: 'shape', expected: tensor.shape, given: given.shape });
  for (const [k, value] of given.values.entries()) checkRange(tensor, value, k, tensor.range);
  return given;
}

function checkRange(tensor: Tensor, value: bigint, position: number, range: Range): void {
  if (value >= range.lo && value <= range.hi) return;
  const index = indexAt(tensor.shape, position);
  throw valueError(tensor.name, { kind: 'range', index, value, bits: signedBits(value) }, tensor.type);
}

function evaluate(program: TensorProgram, equation: Equation, tensor: Tensor, store: Store): bigint[] {
  const entry = compileEntry(program, equation, tensor, store);
  const sizes = tensor.shape;
  const values: bigint[] = [];
  const at: Point = [];
  const go = (k: number): void => {
    if (k === sizes.length) {
      const value = entry(at, values.length);
      checkRange(tensor, value, values.length, tensor.range);
      values.push(value);
      return;
    }
    for (let v = 0; v < sizes[k]; v++) {
      at[k] = v;
      go(k + 1);
    }
  };
  go(0);
  return values;
}

/** The integer of a target's entry, given its index and row-major position. */
function compileEntry(
  program: TensorProgram,
  equation: Equation,
  tensor: Tensor,
  store: Store,
): (at: Point, position: number) => bigint {
  const { definition } = equation;
  const outer = equation.indices.length;
  switch (definition.kind) {
    case 'constant':
      return (_, position) => definition.values[position];
    case 'polynomial':
      return compilePolynomial(definition.polynomial, outer, store);
    case 'round':
      return compileRound(definition, tensor, outer, store);
    case 'table': {
      const argument = store.values(definition.argument);
      const table = program.tables[definition.table];
      return (_, position) => tableValue(table, program.tensors[definition.argument], argument[position], position);
    }
    case 'max':
    case 'argmax':
      return compileMaximum(definition, outer, store);
  }
}

function compileRound(
  definition: Definition & { readonly kind: 'round' },
  tensor: Tensor,
  outer: number,
  store: Store,
): (at: Point, position: number) => bigint {
  const { form, frac, clamp } = definition;
  const p = compilePolynomial(definition.p, outer, store);
  const q = definition.q === undefined ? undefined : compilePolynomial(definition.q, outer, store);
  const [ps, qs] = [definition.p.scale, definition.q?.scale ?? definition.p.scale];
  return (at, position) => {
    const top = p(at);
    const bottom = q === undefined ? 1n : q(at);
    if (bottom <= 0n || (form === 'sqrt(P)' && top < 0n)) {
      const value = bottom <= 0n ? bottom : top;
      throw valueError(tensor.name, { kind: 'divisor', index: indexAt(tensor.shape, position), value });
    }
    const numerator = multiply({ num: top, den: 1n }, ps);
    const divisor = multiply({ num: bottom, den: 1n }, qs);
    const value = roundForm(form, numerator, divisor, frac);
    if (clamp === undefined) return value;
    return value < clamp.lo ? clamp.lo : value > clamp.hi ? clamp.hi : value;
  };
}

function tableValue(table: Table, argument: Tensor, value: bigint, position: number): bigint {
  const last = BigInt(table.values.length - 1);
  let row = value - table.first;
  if (table.saturate) row = row < 0n ? 0n : row > last ? last : row;
  if (row >= 0n && row <= last) return table.values[Number(row)];
  const index = indexAt(argument.shape, position);
  throw valueError(argument.name, { kind: 'range', index, value, bits: signedBits(value) }, argument.type);
}

/** The maximum, or the smallest index that attains it. */
function compileMaximum(
  definition: Definition & { readonly kind: 'max' | 'argmax' },
  outer: number,
  store: Store,
): (at: Point) => bigint {
  const { over, kind } = definition;
  const holds = compileGuards(definition.guards, store);
  const value = compilePolynomial(definition.of, outer + over.length, store);
  return (at) => {
    let best: bigint | undefined;
    let where = 0;
    const go = (k: number): void => {
      if (k < over.length) {
        for (let v = 0; v < over[k].size; v++) {
          at[outer + k] = v;
          go(k + 1);
        }
        return;
      }
      if (!holds(at)) return;
      const here = value(at);
      if (best === undefined || here > best) {
        best = here;
        where = at[outer];
      }
    };
    go(0);
    if (best === undefined) return internal('a maximum over nothing');
    return kind === 'max' ? best : BigInt(where);
  };
}
