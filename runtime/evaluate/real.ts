/**
 * What a program computes before anything is rounded: float64 throughout, `round` the identity, tables the functions they
 * tabulate. Constants are as the program has them, and arguments of saturating tables are clamped.
 */
import { requireNumbers, requireRun } from '../../compiler/ir/arguments.ts';
import type { Definition, Polynomial, Tensor, TensorId } from '../../compiler/ir/tensor/program.ts';
import { toNumber } from '../../compiler/ir/numbers/rational.ts';
import { ValueError } from '../../compiler/ir/errors.ts';
import type { Evaluated, EvaluateOptions } from './exact.ts';
import { realFunction } from './tensor/functions.ts';
import { maximumPositions } from './tensor/maximum.ts';
import type { FactorSource } from './tensor/operands.ts';
import { onHost } from './sums/products.ts';
import { sumTerms } from './sums/sums.ts';
import { sumTermsOf } from './tensor/terms.ts';
import { sizeOf, type Numbers } from './values.ts';

/**
 * @param inputs the numbers of each tensor of role `input`; of index tensors the indices
 * @returns the numbers of every tensor, inputs included
 * @throws ValueError for an input that is missing or has another size
 */
export function evaluateReal(
  program: Evaluated,
  inputs: ReadonlyMap<TensorId, Numbers>,
  { progress }: Pick<EvaluateOptions, 'progress'> = {},
): Map<TensorId, Numbers> {
  requireRun(program, inputs);
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
  for (const tensor of tensors)
    if (tensor.role === 'input') known.set(tensor.id, checkInput(tensor, inputs.get(tensor.id)));
  for (const [k, { target, definition }] of equations.entries()) {
    progress?.(k, equations.length);
    known.set(target, evaluateDefinition(program, definition, tensors[target], source));
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
function evaluatePolynomial(
  tensors: readonly Tensor[],
  p: Polynomial,
  shape: readonly number[],
  source: FactorSource,
): Float64Array {
  const scale = toNumber(p.scale);
  const terms = sumTermsOf(p, shape, source, (term) =>
    term.factors.reduce((c, f) => c / toNumber(tensors[f.tensor].scale), Number(term.coefficient) * scale),
  );
  const sums = onHost((place) => sumTerms(place, shape, terms)) as Numbers;
  return sums instanceof Float64Array ? sums : Float64Array.from(sums);
}

function evaluateDefinition(
  { tensors, tables }: Evaluated,
  definition: Definition,
  tensor: Tensor,
  source: FactorSource,
): Numbers {
  const polynomial = (p: Polynomial, shape: readonly number[]): Float64Array =>
    evaluatePolynomial(tensors, p, shape, source);
  switch (definition.kind) {
    case 'constant': {
      const scale = toNumber(tensor.scale);
      return Float64Array.from(definition.values, (v) => Number(v) * scale);
    }
    case 'polynomial':
      return polynomial(definition.polynomial, tensor.shape);
    case 'round': {
      const { form, p, q, clamp } = definition;
      const values = polynomial(p, tensor.shape);
      if (form === 'sqrt(P)') return values.map(Math.sqrt);
      if (q !== undefined) {
        const under = polynomial(q, tensor.shape);
        return values.map((v, k) => v / (form === 'P/sqrt(Q)' ? Math.sqrt(under[k]) : under[k]));
      }
      if (clamp === undefined) return values;
      const [lo, hi] = [clamp.lo, clamp.hi].map((v) => Number(v) * toNumber(tensor.scale));
      return values.map((v) => Math.min(Math.max(v, lo), hi));
    }
    case 'table': {
      const f = realFunction(tables[definition.table]);
      return Float64Array.from(source.values(definition.argument) as Numbers, f);
    }
    case 'max':
    case 'argmax':
      return maximum(definition, tensor.shape, source, polynomial);
  }
}

function maximum(
  { kind, over, guards, of }: Definition & { readonly kind: 'max' | 'argmax' },
  outputs: readonly number[],
  source: FactorSource,
  polynomial: (p: Polynomial, shape: readonly number[]) => Float64Array,
): Float64Array {
  const lengths = over.map((v) => v.size);
  const values = polynomial(of, [...outputs, ...lengths]);
  const found = maximumPositions(values, outputs, lengths, guards, source);
  return Float64Array.from(found, (k) => (kind === 'max' ? values[k] : k % lengths[0]));
}
