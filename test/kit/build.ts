/** Short forms for tensor programs written by hand in tests. */
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import type { Equation, Factor, Tensor, TensorProgram, Term } from '../../compiler/ir/tensor/program.ts';

const unit = { num: 1n, den: 1n };
const span = { source: '', start: 0, end: 0 };
const wide = 2n ** 60n;

export interface InputSketch {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bits: number;
  /** Secret inputs come from a source; public ones have none. */
  readonly source?: string;
}

export interface OutputSketch {
  readonly name: string;
  readonly shape: readonly number[];
  readonly terms: readonly Term[];
  /** Default true: part of the statement. */
  readonly public?: boolean;
}

/** Inputs, then equations in order; tensors are numbered in that order. */
export function program(inputs: readonly InputSketch[], outputs: readonly OutputSketch[]): TensorProgram {
  const tensors: Tensor[] = inputs.map(({ name, shape, bits, source }, id) => ({
    id,
    name,
    shape,
    scale: unit,
    range: { lo: -(2n ** BigInt(bits - 1)), hi: 2n ** BigInt(bits - 1) - 1n },
    type: { kind: 'fixed', bits, frac: 0 },
    visibility: source === undefined ? 'public' : 'secret',
    role: 'input',
    ...(source === undefined ? {} : { file: { source, names: [name], stacked: 0 } }),
    span,
  }));
  const equations: Equation[] = outputs.map((o, k) => {
    const id = inputs.length + k;
    const isPublic = o.public ?? true;
    tensors.push({
      id,
      name: o.name,
      shape: o.shape,
      scale: unit,
      range: { lo: -wide, hi: wide },
      visibility: isPublic ? 'public' : 'hidden',
      role: isPublic ? 'output' : 'inner',
      span,
    });
    const indices = o.shape.map((size, j) => ({ name: `i${j}`, size }));
    return {
      target: id,
      indices,
      definition: { kind: 'polynomial', polynomial: { terms: o.terms, scale: unit } },
      span,
    };
  });
  return {
    name: 'test',
    tensors,
    tables: [],
    equations,
    statement: tensors.filter((t) => t.role !== 'inner').map((t) => t.id),
  };
}

/** coefficient * sum over `reduced` lengths of the product of factors. */
export const term = (factors: readonly Factor[], reduced: readonly number[] = [], coefficient = 1n): Term => ({
  coefficient,
  reduced: reduced.map((size, j) => ({ name: `k${j}`, size })),
  guards: [],
  factors,
});

/** tensor[v0, v1, ...]: variables count the output's indices, then the reduced ones. */
export const at = (tensor: number, ...variables: readonly number[]): Factor => ({
  tensor,
  at: variables.map((v) => ({ kind: 'var', var: v })),
});

/**
 * y = sum over k < count of coefficient(k) * s[2 k] * s[2 k + 1], secret numbers of 4 bits. No two products have factors of
 * the same shapes, so that none are stacked: axes of length 1 tell up to 14^2 of them apart.
 */
export function sumOfProducts(count: number, coefficient: (k: number) => bigint): TensorProgram {
  const kinds = 14;
  const ones = (n: number): number[] => Array.from({ length: n }, () => 1);
  const rank = (i: number): number => (i % 2 === 0 ? (i / 2) % kinds : Math.floor(i / 2 / kinds));
  const entry = (i: number): Factor => at(i, ...ones(rank(i)).map((_, j) => j));
  return program(
    Array.from({ length: 2 * count }, (_, i) => ({
      name: `s${String(i).padStart(3, '0')}`,
      shape: ones(rank(i)),
      bits: 4,
      source: 'a',
    })),
    [
      {
        name: 'y',
        shape: [],
        terms: Array.from({ length: count }, (_, k) => {
          const reduced = ones(Math.max(rank(2 * k), rank(2 * k + 1)));
          return term([entry(2 * k), entry(2 * k + 1)], reduced, coefficient(k));
        }),
      },
    ],
  );
}

/** A gadget program written by hand: nothing but what is given. */
export const gadgetProgram = (parts: Partial<GadgetProgram>): GadgetProgram => ({
  name: 'm',
  tensors: [],
  equations: [],
  tables: [],
  lookups: [],
  zeros: [],
  steps: [],
  secrets: [],
  witnessRows: 0,
  sources: [],
  publics: [],
  columns: 32,
  folds: 0,
  levels: 1,
  ...parts,
});
