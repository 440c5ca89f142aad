/**
 * The gadget program: the plan of a proof. It fixes which tensors are committed and how their entries are laid out in
 * matrix rows, which equations are proved at which level, and which variables each sumcheck runs over. Prover and
 * verifier both walk it; nothing about a proof's shape is decided anywhere else.
 *
 * Plain data. The verifier reads it from the bundle, so it imports nothing from the compiler but these types.
 */
import type { Span } from '../../grammar/span.ts';
import type { IndexExpr, Compare, Range, Rational, TensorType } from '../tensor/program.ts';

/** Where a tensor's multilinear extension comes from when a claim about it has to be settled. */
export type GadgetTensorClass =
  /** In the statement in the clear; the verifier evaluates it. */
  | { readonly kind: 'input' | 'output' }
  /** Known from the program alone: given values, or the 0/1 indicator of guards over its axes. */
  | { readonly kind: 'constant'; readonly values?: readonly bigint[]; readonly guards?: readonly Compare[] }
  /**
   * Rows of a source's matrix. `files` count into `CommittedSource.tensors`: one, or one per combination of the
   * `stacked` leading axes, row-major.
   */
  | { readonly kind: 'committed'; readonly source: number; readonly stacked: number; readonly files: readonly number[] }
  /** Defined by an equation over other tensors, never committed. */
  | { readonly kind: 'defined'; readonly level: number }
  /** Entries of another tensor: V[i] = of[at(i)] where all guards hold, else 0. `level` 0: a view of public values. */
  | {
      readonly kind: 'view';
      readonly level: number;
      readonly of: number;
      readonly at: readonly IndexExpr[];
      readonly guards: readonly Compare[];
    };

export interface GadgetTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** value = integer * scale */
  readonly scale: Rational;
  readonly range: Range;
  readonly type?: TensorType;
  readonly class: GadgetTensorClass;
  readonly span: Span;
}

/** How one axis of a factor is treated in a term. */
export type AxisBinding =
  /** Bound at the claim's point for output index `output`: it occurs in no other factor. */
  | { readonly kind: 'output'; readonly output: number }
  /** Summed over: variable `variable` of the term. */
  | { readonly kind: 'summed'; readonly variable: number }
  /** Reduced, and in no other factor: the sum of all entries is 2^k times the value at (1/2, ..., 1/2). */
  | { readonly kind: 'half' };

export interface GadgetFactor {
  readonly tensor: number;
  /** One per axis of the tensor. */
  readonly axes: readonly AxisBinding[];
}

/**
 * coefficient * sum over the variables of [eq of the shared output indices] * product of the factors; see
 * `runtime/protocol/levels.ts` for the claim it settles.
 */
export interface GadgetTerm {
  readonly coefficient: bigint;
  /** Lengths of the summed variables. The first `shared.length` are output indices that occur in several factors. */
  readonly variables: readonly number[];
  /** shared[v]: the output index that variable v is, weighted by eq(point, .). */
  readonly shared: readonly number[];
  /** Output indices that occur in no factor: each contributes the sum of eq(point, i) over i < its length. */
  readonly free: readonly number[];
  readonly factors: readonly GadgetFactor[];
}

export interface GadgetEquation {
  /** A tensor of class `defined` or `output`. */
  readonly target: number;
  /** From 1: claims about the target are settled in the level's batched sumcheck. */
  readonly level: number;
  readonly terms: readonly GadgetTerm[];
  readonly span: Span;
}

/** One axis of a committed tensor: its length, and how many low binary digits of its index lie in the columns. */
export interface LayoutAxis {
  readonly length: number;
  readonly columnBits: number;
}

/** A committed tensor inside its source's matrix. Row-major over the high digits; columns over the low digits. */
export interface CommittedTensor {
  /** Checkpoint name; each file tensor of a stacked declaration is one of its own. */
  readonly name: string;
  readonly axes: readonly LayoutAxis[];
  /** Every entry is in [-2^(bits-1), 2^(bits-1)). */
  readonly bits: number;
  readonly frac: number;
  readonly firstRow: number;
  readonly rows: number;
}

/** All secret tensors of one source: one matrix, one commitment. Depends on names, shapes and types only. */
export interface CommittedSource {
  readonly name: string;
  /** A power of two, at least 32. */
  readonly columns: number;
  readonly rows: number;
  readonly tensors: readonly CommittedTensor[];
}

export interface GadgetProgram {
  readonly name: string;
  /** Same positions as in the tensor program, followed by views and constants made by the lowering. */
  readonly tensors: readonly GadgetTensor[];
  /** In order of evaluation. */
  readonly equations: readonly GadgetEquation[];
  readonly sources: readonly CommittedSource[];
  /** Public tensors of the statement, in source order. */
  readonly publics: readonly number[];
  /** Columns of the proof's own rows: the largest of the sources' columns, at least 32. */
  readonly columns: number;
  /** Halvings of the final response. */
  readonly folds: number;
  readonly levels: number;
}
