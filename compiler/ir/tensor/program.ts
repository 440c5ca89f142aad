/**
 * The tensor program: what a `.zkl` model means once every name, shape, scale and range is known.
 *
 * A tensor is an array of integers times one positive rational scale. Every tensor is either an input or defined by
 * exactly one equation, and equations stand in an order in which each reads only what stands before it. Integer ranges
 * are proved by interval arithmetic, never assumed, except for inputs, whose range is that of their declared type and
 * is checked on reading (public), proved with the commitment (secret) or recomputed from the checkpoint (open).
 *
 * Plain data: immutable, printable (`printTensorProgram`), serialisable. Bigints and rationals are exact.
 */
import type { Span } from '../../../grammar/span.ts';

/** `num / den` in lowest terms, `den > 0`. */
export interface Rational {
  readonly num: bigint;
  readonly den: bigint;
}

/** A closed interval of integers. */
export interface Range {
  readonly lo: bigint;
  readonly hi: bigint;
}

/** `fixed<bits, frac>`: signed integers in [-2^(bits-1), 2^(bits-1)) times 2^-frac; `index<size>`: integers in [0, size). */
export type TensorType =
  | { readonly kind: 'fixed'; readonly bits: number; readonly frac: number }
  | { readonly kind: 'index'; readonly size: number };

/** Who knows a tensor. `hidden` tensors are inner values of the proof. */
export type Visibility = 'public' | 'secret' | 'open' | 'hidden';

/** Where an input's numbers come from. */
export interface TensorFile {
  /** `base`, `adapter` or a declared source. */
  readonly source: string;
  /**
   * Full checkpoint names (`at` path + name). One name for an ordinary tensor; for a tensor stacked over `stacked`
   * leading axes one name per combination of those axes, row-major.
   */
  readonly names: readonly string[];
  /** How many leading axes are stacked over files: 0 for an ordinary tensor. */
  readonly stacked: number;
}

export type TensorId = number;

export interface Tensor {
  /** Position in `TensorProgram.tensors`. */
  readonly id: TensorId;
  /** Unique, stable, readable: the declared name, prefixed by the instance path inside blocks and `repeat` (`q/u`). */
  readonly name: string;
  /** Empty for a scalar. Every length is at least 1. */
  readonly shape: readonly number[];
  /** value = integer * scale; scale > 0. */
  readonly scale: Rational;
  /** Proved bounds of every integer entry. */
  readonly range: Range;
  /** The declared or rounded-to type, where there is one. */
  readonly type?: TensorType;
  /** The calibration key that gave `type`, where one did. */
  readonly key?: string;
  readonly visibility: Visibility;
  /** Part of the statement as an input (`:`/`from`), as an output (`=`), or not at all. */
  readonly role: 'input' | 'output' | 'inner';
  readonly file?: TensorFile;
  readonly span: Span;
}

/** An index variable of an equation, running over 0 .. size-1. */
export interface IndexVar {
  readonly name: string;
  readonly size: number;
}

/**
 * Integer arithmetic on index variables. `var` counts into the equation's output indices followed by the term's reduced
 * indices. `div` and `mod` are floor division and its remainder by a positive constant. `entry` reads an `index<N>` tensor.
 */
export type IndexExpr =
  | { readonly kind: 'const'; readonly value: number }
  | { readonly kind: 'var'; readonly var: number }
  | { readonly kind: 'add' | 'sub' | 'mul'; readonly left: IndexExpr; readonly right: IndexExpr }
  | { readonly kind: 'div' | 'mod'; readonly left: IndexExpr; readonly by: number }
  | { readonly kind: 'entry'; readonly tensor: TensorId; readonly at: readonly IndexExpr[] };

/** One comparison of a static guard (or, with an `entry` on one side of `==`, a one-hot selection). */
export interface Compare {
  readonly left: IndexExpr;
  readonly op: '<' | '<=' | '==' | '!=' | '>=' | '>';
  readonly right: IndexExpr;
}

/** One entry of a tensor as a factor of a product. `at` has one expression per axis. */
export interface Factor {
  readonly tensor: TensorId;
  readonly at: readonly IndexExpr[];
}

/**
 * `coefficient * sum over reduced indices, where every guard holds, of the product of the factors`. All guards of a
 * term hold together; where one fails the term is 0 and its factors are not read. No factors: the constant 1.
 */
export interface Term {
  readonly coefficient: bigint;
  readonly reduced: readonly IndexVar[];
  readonly guards: readonly Compare[];
  readonly factors: readonly Factor[];
}

/** A polynomial over tensors, as integers: the sum of its terms, times the positive rational `scale`. */
export interface Polynomial {
  readonly terms: readonly Term[];
  readonly scale: Rational;
}

/** What a tensor's entries are, as a function of the output indices. */
export type Definition =
  /** Known from the program alone: the target's integers, row-major. */
  | { readonly kind: 'constant'; readonly values: readonly bigint[] }
  /** target integer = sum of terms (the target's scale is the polynomial's). */
  | { readonly kind: 'polynomial'; readonly polynomial: Polynomial }
  /**
   * target = floor(value * 2^frac + 1/2) with value = P, P/Q, sqrt(P) or P/sqrt(Q); exact, rounded once. `clamp`: the
   * argument of a `saturate` table, clamped to the table's domain instead of refused.
   */
  | {
      readonly kind: 'round';
      readonly form: 'P' | 'P/Q' | 'sqrt(P)' | 'P/sqrt(Q)';
      readonly p: Polynomial;
      readonly q?: Polynomial;
      readonly frac: number;
      readonly clamp?: Range;
    }
  /** target[i] = table[argument[i]]; argument has the target's shape and exactly the table's argument type. */
  | { readonly kind: 'table'; readonly table: number; readonly argument: TensorId }
  /**
   * Maximum (as an integer of the polynomial's scale) or the smallest index attaining it, over `over` where the guards
   * hold. Here variables count into the equation's output indices, then `over`, then a term's reduced indices.
   */
  | {
      readonly kind: 'max' | 'argmax';
      readonly over: readonly IndexVar[];
      readonly guards: readonly Compare[];
      readonly of: Polynomial;
    };

export interface Equation {
  readonly target: TensorId;
  /** One per axis of the target. */
  readonly indices: readonly IndexVar[];
  readonly definition: Definition;
  readonly span: Span;
}

export type RealFunction = 'exp' | 'log' | 'sin' | 'cos' | 'sqrt' | 'erf' | 'tanh';

/** A real function of one argument. */
export type RealExpression =
  | { readonly kind: 'argument' }
  | { readonly kind: 'number'; readonly value: Rational }
  | {
      readonly kind: 'add' | 'subtract' | 'multiply' | 'divide' | 'power';
      readonly left: RealExpression;
      readonly right: RealExpression;
    }
  | { readonly kind: 'apply'; readonly function: RealFunction; readonly of: RealExpression };

/**
 * A function on integers given by all its values, for arguments `first`, `first + 1`, ... Any other argument is an error,
 * or with `saturate` taken for the nearest one that has a value.
 */
export interface Table {
  readonly name: string;
  readonly argument: TensorType;
  readonly result: TensorType;
  readonly first: bigint;
  readonly values: readonly bigint[];
  readonly saturate: boolean;
  /** The real function that was tabulated, where it is an expression of its argument. Not part of what is proved. */
  readonly of?: RealExpression;
  readonly span: Span;
}

/** Tensors that leave a proof as one commitment, laid out as a source of the same names, shapes and types is. */
export interface OutputSource {
  readonly name: string;
  /** Secret outputs of type `fixed`, and their names in the commitment. */
  readonly tensors: readonly { readonly name: string; readonly tensor: TensorId }[];
}

export interface TensorProgram {
  readonly name: string;
  readonly tensors: readonly Tensor[];
  readonly tables: readonly Table[];
  readonly equations: readonly Equation[];
  /** The statement: declared tensors in source order. */
  readonly statement: readonly TensorId[];
  /** Left out where there are none. Every secret output is in one of them. */
  readonly outputs?: readonly OutputSource[];
  /** Sources that are outputs of other programs, and laid out as those; left out where there are none. */
  readonly stateSources?: readonly string[];
}
