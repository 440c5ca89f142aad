/**
 * The gadget program: the plan of a proof. It fixes which tensors are committed and how their entries are laid out in
 * matrix rows, which equations are proved at which level, and which variables each sumcheck runs over. Prover and
 * verifier both walk it; nothing about a proof's shape is decided anywhere else.
 *
 * Plain data. The verifier reads it from the bundle, so it imports nothing from the compiler but these types.
 */
import type { Span } from '../../../grammar/span.ts';
import type { IndexExpr, Compare, Range, Rational, TensorType } from '../tensor/program.ts';

/** Where a tensor's multilinear extension comes from when a claim about it has to be settled. */
export type GadgetTensorClass =
  /** In the statement in the clear; the verifier evaluates it. */
  | { readonly kind: 'input' | 'output' }
  /** Known from the program alone: given values, or the 0/1 indicator of guards over its axes. */
  | { readonly kind: 'constant'; readonly values?: readonly bigint[]; readonly guards?: readonly Compare[] }
  /**
   * Rows of a source's matrix, or of an output's: `source` counts the program's sources, then its outputs. `files` count into
   * `CommittedSource.tensors`: one, or one per combination of the `stacked` leading axes, row-major. What an output's is, and
   * that it is in its type, is shown as of a witness.
   */
  | { readonly kind: 'committed'; readonly source: number; readonly stacked: number; readonly files: readonly number[] }
  /**
   * Rows of the proof's own matrix: rounded values, table entries, limbs, selectors, multiplicities. What they are is
   * shown by lookups and equations; `steps` tell the prover how to find them.
   */
  | ({ readonly kind: 'witness' } & WitnessPlace)
  /**
   * Rows of a source's tensor that a public tensor of indices names: G[i, j] = of[indices[i], j], `i` standing for the axes of
   * `indices`, `j` for those of `of` but its first. They are committed to with the source, and known places of it.
   */
  | { readonly kind: 'gathered'; readonly of: number; readonly indices: number }
  /** Known from a public tensor of indices: S[i, v] = 1 where entry i of `of` is v, else 0. */
  | { readonly kind: 'selector'; readonly of: number }
  /** Defined by an equation over other tensors, never committed. */
  | { readonly kind: 'defined'; readonly level: number }
  /**
   * Entries of another tensor whose position is made of binary digits of the view's indices: one list for each axis of
   * `of`, most significant digit first. Where that is outside of `of`, the view is 0.
   */
  | { readonly kind: 'digits'; readonly of: number; readonly axes: readonly (readonly DigitSource[])[] }
  /** Entries of another tensor: V[i] = of[at(i)] where all guards hold, else 0. `level` 0: a view of public values. */
  | {
      readonly kind: 'view';
      readonly level: number;
      readonly of: number;
      readonly at: readonly IndexExpr[];
      readonly guards: readonly Compare[];
    };

/** A digit that is known, or digit number `bit` (0 is the least) of one of the view's indices. */
export type DigitSource = 0 | 1 | { readonly variable: number; readonly bit: number };

/**
 * Where a witness tensor lies in the proof's own matrix. A tensor that fills less than a row shares it with others: its
 * columns start at `firstColumn`, a multiple of the power of two that it uses.
 */
export interface WitnessPlace {
  readonly axes: readonly LayoutAxis[];
  readonly firstRow: number;
  readonly rows: number;
  readonly firstColumn: number;
}

export interface GadgetTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** value = integer * scale */
  readonly scale: Rational;
  readonly range: Range;
  readonly type?: TensorType;
  /** The calibration key that gave `type`, where one did: for messages, as `span` is. */
  readonly key?: string;
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
 * `runtime/protocol/sumcheck/claim-reduction.ts` for the claim it settles.
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

/**
 * A committed tensor inside its source's matrix. Row-major over the high digits; columns over the low digits. In a state's
 * layout one that fills less than a row shares it with others of its type, in blocks as witness tensors do.
 */
export interface CommittedTensor {
  /** Checkpoint name; each file tensor of a stacked declaration is one of its own. */
  readonly name: string;
  readonly axes: readonly LayoutAxis[];
  /** Every entry is in [-2^(bits-1), 2^(bits-1)). */
  readonly bits: number;
  readonly frac: number;
  readonly firstRow: number;
  readonly rows: number;
  /** Left out where it is 0. */
  readonly firstColumn?: number;
}

/**
 * All secret tensors of one source, or all open ones: one matrix, one commitment. Depends on names, shapes and types
 * only. Open ones are committed without blinding.
 */
export interface CommittedSource {
  readonly name: string;
  readonly open?: true;
  /** A power of two, at least 32. */
  readonly columns: number;
  readonly rows: number;
  readonly tensors: readonly CommittedTensor[];
}

/**
 * What looked-up values are compared with. A range holds 0 .. 2^bits - 1; a function holds the pairs (t, values[t]).
 * `multiplicities` is the witness tensor that says how often each entry occurs.
 */
export type GadgetTable =
  | { readonly kind: 'range'; readonly bits: number; readonly multiplicities: number }
  | {
      readonly kind: 'function';
      readonly name: string;
      readonly values: readonly bigint[];
      readonly multiplicities: number;
    };

/**
 * For every entry of `tensor`: (entry + offset) / 2^shift is an entry of the table, in a function's with the same entry
 * of `value` beside it. The division is that of the field: it says that the entry is a multiple. The tensor is committed,
 * public, or defined at level 1 and read by nothing else.
 */
export interface GadgetLookup {
  readonly tensor: number;
  readonly table: number;
  readonly offset: bigint;
  readonly shift: number;
  readonly value?: number;
}

/** How the prover finds the tensors that no input gives, in order. The verifier does not look at them. */
export type GadgetStep =
  /** The target of equation number `equation`, by its terms. */
  | { readonly kind: 'equation'; readonly equation: number }
  /** A sum of terms: what a tensor is, said in a way that is quicker to evaluate than its equation. */
  | { readonly kind: 'sum'; readonly target: number; readonly terms: readonly GadgetTerm[] }
  /** target = floor(of / by); `by` is one positive integer or a tensor of `of`'s shape. */
  | { readonly kind: 'floor'; readonly target: number; readonly of: number; readonly by: bigint | number }
  /** target = the integer nearest to sqrt(of / by), halves up. */
  | { readonly kind: 'root'; readonly target: number; readonly of: number; readonly by: bigint | number }
  /** target = floor(max(0, sign * (of - from)) / 2^shift), of that the low `bits` bits. */
  | {
      readonly kind: 'limb';
      readonly target: number;
      readonly of: number;
      readonly from: bigint;
      readonly sign: 1 | -1;
      readonly shift: number;
      readonly bits: number;
    }
  /** target = of, between `lo` and `hi`. */
  | { readonly kind: 'clamp'; readonly target: number; readonly of: number; readonly lo: bigint; readonly hi: bigint }
  /** target = 1 where `of` is 0, else 0. */
  | { readonly kind: 'isZero'; readonly target: number; readonly of: number }
  /** target = values[of + offset] of a function's table. */
  | {
      readonly kind: 'table';
      readonly target: number;
      readonly of: number;
      readonly table: number;
      readonly offset: bigint;
    }
  /** selector = 1 at the first largest entry of each of `of`'s rows among those where `mask` is not 0, else 0. */
  | {
      readonly kind: 'largest';
      readonly target: number;
      readonly of: number;
      readonly over: number;
      readonly mask?: number;
    }
  /** target[i] = the sum of `of`'s later entries along its last axis. */
  | { readonly kind: 'after'; readonly target: number; readonly of: number }
  /** target[i, v] = 1 where entry i of the indices `of` is v. */
  | { readonly kind: 'select'; readonly target: number; readonly of: number };

export interface GadgetProgram {
  readonly name: string;
  /** Same positions as in the tensor program, followed by views and constants made by the lowering. */
  readonly tensors: readonly GadgetTensor[];
  /** In order of evaluation. */
  readonly equations: readonly GadgetEquation[];
  /** Tables in use, each once however many lookups there are. */
  readonly tables: readonly GadgetTable[];
  readonly lookups: readonly GadgetLookup[];
  /** Tensors defined at level 1 that are 0 everywhere. */
  readonly zeros: readonly number[];
  readonly steps: readonly GadgetStep[];
  /** Inputs that are neither public nor from a source: each a witness tensor, or one behind a selector. */
  readonly secrets: readonly number[];
  /** Rows of the proof's own matrix, each of `columns`. */
  readonly witnessRows: number;
  readonly sources: readonly CommittedSource[];
  /**
   * What leaves the proof as commitments, one of each: matrices whose rows travel in it, laid out as a later program's source.
   * Left out where there are none. One may have the name of a source.
   */
  readonly outputs?: readonly CommittedSource[];
  /** Public tensors of the statement, in source order. */
  readonly publics: readonly number[];
  /** Columns of the proof's own rows: at least 32, and no fewer than any source or output has. */
  readonly columns: number;
  /** Halvings of the final response. */
  readonly folds: number;
  readonly levels: number;
}
