/**
 * The syntax tree of a `.zkl` program: what the grammar of `zkl.ebnf` reads, with names unresolved and nothing checked.
 *
 * - Every node has a `kind` of its own and a `span`; a span covers the node's text, without its doc comment.
 * - Parentheses leave no node: the shape of the tree says them, and the printer puts back the ones that matter.
 * - Sums and products associate to the left. In a value, `-` applies to the next power or reduction (`-a * b` is
 *   `(-a) * b`, `-x ^ 2` is `-(x ^ 2)`) and `^` associates to the right. In index arithmetic the one leading `-` applies
 *   to the whole first term (`-i div 2` is `-(i div 2)`).
 * - An empty `axes` means that none were written (`[]` is not in the language).
 * - Where the text has a syntax error, the broken statement or item is absent from the tree, or stands there as the
 *   parser mended it (a missing bracket inserted).
 */
import type { Span } from './span.ts';

/** An identifier as written, a prime included (`x'`). */
export interface Name {
  readonly text: string;
  readonly span: Span;
}

/** A string on one line, without escapes. `text` is what stands between the quotes, so it starts at `span.start + 1`. */
export interface StringLiteral {
  readonly kind: 'string';
  readonly text: string;
  readonly span: Span;
}

/** An unsigned decimal as written (`1e-5`): exact, so it stays text. */
export interface NumberLiteral {
  readonly kind: 'number';
  readonly text: string;
  readonly span: Span;
}

// ---------------------------------------------------------------------------------------------------------------------
// Program and items

export interface Program {
  readonly kind: 'program';
  readonly imports: readonly Import[];
  readonly items: readonly Item[];
  readonly span: Span;
}

/** `import { linear, lora } from "std"` */
export interface Import {
  readonly kind: 'import';
  readonly names: readonly Name[];
  readonly path: StringLiteral;
  readonly span: Span;
}

export type Item = Block | Table | Optimizer | Model;

/** `block linear<O>(x[T, I]) -> y[T, O] { ... }` */
export interface Block {
  readonly kind: 'block';
  readonly doc?: string;
  readonly name: Name;
  /** The dimensions in `<...>`, given by the caller. */
  readonly dims: readonly Name[];
  readonly params: readonly Parameter[];
  readonly results: readonly Tensor[];
  readonly body: readonly Statement[];
  readonly derivative?: Derivative;
  readonly span: Span;
}

/** `derivative(dp) -> dz { ... }`: one cotangent per result of the block in, one result per tensor parameter out. */
export interface Derivative {
  readonly kind: 'derivative';
  readonly doc?: string;
  readonly params: readonly Parameter[];
  readonly results: readonly Tensor[];
  readonly body: readonly Statement[];
  readonly span: Span;
}

/** `optimizer sgd(w, g, step, const rate) { ... }` */
export interface Optimizer {
  readonly kind: 'optimizer';
  readonly doc?: string;
  readonly name: Name;
  readonly params: readonly Parameter[];
  readonly states: readonly State[];
  readonly body: readonly Statement[];
  readonly span: Span;
}

/** `state m: fixed<32, 30> = 0` */
export interface State {
  readonly kind: 'state';
  readonly doc?: string;
  readonly name: Name;
  readonly type: Type;
  readonly value: Value;
  readonly span: Span;
}

/** `table exp<F>(x: fixed<16, F> in [-16, 0] saturate) -> fixed<17, 15> = exp(x)` */
export interface Table {
  readonly kind: 'table';
  readonly doc?: string;
  readonly name: Name;
  /** The numbers in `<...>`, which the type of the argument gives. */
  readonly dims: readonly Name[];
  readonly parameter: Name;
  readonly input: Type;
  readonly domain?: Domain;
  readonly output: Type;
  readonly value: Value;
  readonly span: Span;
}

/** `in [lower, upper] saturate`, closed at both ends. */
export interface Domain {
  readonly kind: 'domain';
  readonly lower: Value;
  readonly upper: Value;
  readonly saturate: boolean;
  readonly span: Span;
}

/** `model llama at "transformer" { ... }` */
export interface Model {
  readonly kind: 'model';
  readonly doc?: string;
  readonly name: Name;
  readonly at?: StringLiteral;
  readonly body: readonly Statement[];
  readonly train?: Train;
  readonly span: Span;
}

export interface Train {
  readonly kind: 'train';
  readonly doc?: string;
  readonly body: readonly Statement[];
  readonly minimize: Minimize;
  readonly span: Span;
}

/** `minimize loss over adapter "*.lora_A.weight" by adamw(rate = 1e-3)` */
export interface Minimize {
  readonly kind: 'minimize';
  readonly loss: Name;
  readonly over: readonly Weights[];
  readonly by: Name;
  readonly arguments: readonly Argument[];
  readonly span: Span;
}

/** All tensors of a source, or those whose names match `pattern`. */
export interface Weights {
  readonly kind: 'weights';
  readonly source: Name;
  readonly pattern?: StringLiteral;
  readonly span: Span;
}

// ---------------------------------------------------------------------------------------------------------------------
// Parameters, types, axes

export type Parameter = ConstParameter | SourceParameter | Tensor;

/** `const eps` */
export interface ConstParameter {
  readonly kind: 'const-parameter';
  readonly name: Name;
  readonly span: Span;
}

/** `source a = adapter` */
export interface SourceParameter {
  readonly kind: 'source-parameter';
  readonly name: Name;
  readonly default?: Name;
  readonly span: Span;
}

/** `x[T, I]: fixed<16, 8>`, as a parameter or a result. */
export interface Tensor {
  readonly kind: 'tensor';
  readonly name: Name;
  readonly axes: readonly Axis[];
  readonly type?: Type;
  readonly span: Span;
}

/** `fixed<bits, fraction>` or `index<N>`; the number of arguments is not checked here. */
export interface Type {
  readonly kind: 'type';
  readonly name: 'fixed' | 'index';
  readonly arguments: readonly Index[];
  readonly span: Span;
}

/** One entry between brackets: `i`, `T`, `2 * h + j`, or with its range, `l: L`. */
export interface Axis {
  readonly kind: 'axis';
  readonly index: Index;
  readonly range?: Index;
  readonly span: Span;
}

// ---------------------------------------------------------------------------------------------------------------------
// Statements

export type Statement = Dims | Sources | Consts | Repeat | Input | Output | Define;

/** `dim T = 15, K = D / H` */
export interface Dims {
  readonly kind: 'dims';
  readonly doc?: string;
  readonly dims: readonly Dim[];
  readonly span: Span;
}

export interface Dim {
  readonly kind: 'dim';
  readonly name: Name;
  readonly value: Index;
  readonly span: Span;
}

/** `source style, task` or `source state before`. */
export interface Sources {
  readonly kind: 'sources';
  readonly doc?: string;
  /** They are what other programs put out. */
  readonly isState?: true;
  readonly names: readonly Name[];
  readonly span: Span;
}

/** `const eps = 1e-5, C[t: T, j: K / 2] = round<16, 14>(cos(t))` */
export interface Consts {
  readonly kind: 'consts';
  readonly doc?: string;
  readonly definitions: readonly Define[];
  readonly span: Span;
}

/** `repeat l: L at "model.layers.{l}" { ... }` */
export interface Repeat {
  readonly kind: 'repeat';
  readonly doc?: string;
  readonly index: Name;
  readonly count: Index;
  readonly at?: StringLiteral;
  readonly body: readonly Statement[];
  readonly span: Span;
}

export type Visibility = 'public' | 'secret' | 'open';

/** A declaration with a type, a file, or both: `secret A[R, I]: fixed<16, 14> from adapter "lora_A.weight"`. */
export interface Input {
  readonly kind: 'input';
  readonly doc?: string;
  readonly visibility: Visibility;
  readonly name: Name;
  readonly axes: readonly Axis[];
  readonly type?: Type;
  readonly file?: File;
  readonly span: Span;
}

/** `from SOURCE "name"` */
export interface File {
  readonly kind: 'file';
  readonly source: Name;
  readonly name: StringLiteral;
  readonly span: Span;
}

/** A declaration with a value: `public delta[t, o] = ...`. */
export interface Output {
  readonly kind: 'output';
  readonly doc?: string;
  readonly visibility: Visibility;
  readonly name: Name;
  readonly axes: readonly Axis[];
  readonly value: Value;
  readonly span: Span;
}

/** `u[t, r] = ...` or, for whole tensors, `u = ...`. */
export interface Define {
  readonly kind: 'define';
  /** Absent inside `const`, where the statement carries it. */
  readonly doc?: string;
  readonly name: Name;
  readonly axes: readonly Axis[];
  readonly value: Value;
  readonly span: Span;
}

// ---------------------------------------------------------------------------------------------------------------------
// Values

export type Value =
  Conditional | Binary | Negate | Reduce | Power | View | Call | Indicator | Access | Reference | NumberLiteral;

/** `if guard then a else b` */
export interface Conditional {
  readonly kind: 'conditional';
  readonly guard: Guard;
  readonly then: Value;
  readonly else: Value;
  readonly span: Span;
}

export interface Binary {
  readonly kind: 'binary';
  readonly operator: '+' | '-' | '*' | '/';
  readonly left: Value;
  readonly right: Value;
  readonly span: Span;
}

export interface Negate {
  readonly kind: 'negate';
  readonly operand: Value;
  readonly span: Span;
}

/**
 * `sum(i, j: J if i < j) body`. It takes the product to its right. One directly after `/` is a syntax error, so wherever
 * the tree has a `Reduce` as the divisor it was written in parentheses.
 */
export interface Reduce {
  readonly kind: 'reduce';
  readonly operator: 'sum' | 'max' | 'argmax';
  readonly axes: readonly Axis[];
  readonly guard?: Guard;
  readonly body: Value;
  readonly span: Span;
}

/** `base ^ exponent` */
export interface Power {
  readonly kind: 'power';
  readonly base: Value;
  readonly exponent: Value;
  readonly span: Span;
}

/** `operand as [T, H, K]`: the same entries in row-major order under another shape. */
export interface View {
  readonly kind: 'view';
  readonly operand: Value;
  readonly shape: readonly Axis[];
  readonly span: Span;
}

/** `lora<4 * D, R = 8>(x, alpha = 16) at "attn.c_attn"`: a block, a table, or a built-in function such as `round`. */
export interface Call {
  readonly kind: 'call';
  readonly name: Name;
  readonly dims: readonly DimArgument[];
  readonly arguments: readonly Argument[];
  readonly at?: StringLiteral;
  readonly span: Span;
}

export interface DimArgument {
  readonly kind: 'dim-argument';
  readonly name?: Name;
  readonly value: Index;
  readonly span: Span;
}

export interface Argument {
  readonly kind: 'argument';
  readonly name?: Name;
  readonly value: Value;
  readonly span: Span;
}

/** `[v == target[t]]`: 1 where the guard holds, 0 elsewhere. */
export interface Indicator {
  readonly kind: 'indicator';
  readonly guard: Guard;
  readonly span: Span;
}

/** `x[t, i]`, in a value or as an entry of an index tensor inside an axis. */
export interface Access {
  readonly kind: 'access';
  readonly name: Name;
  readonly axes: readonly Axis[];
  readonly span: Span;
}

/** A name without brackets: a whole tensor or a constant in a value; a dimension, an index or an index scalar in an axis. */
export interface Reference {
  readonly kind: 'reference';
  readonly name: Name;
  readonly span: Span;
}

// ---------------------------------------------------------------------------------------------------------------------
// Guards and index arithmetic

/** Comparisons joined by `and`; at least one. */
export interface Guard {
  readonly kind: 'guard';
  readonly comparisons: readonly Comparison[];
  readonly span: Span;
}

export interface Comparison {
  readonly kind: 'comparison';
  readonly operator: '<' | '<=' | '==' | '!=' | '>=' | '>';
  readonly left: Index;
  readonly right: Index;
  readonly span: Span;
}

/** Integers known at compile time, or one entry of an index tensor: dimensions, axes, ranges, guards. */
export type Index = IndexBinary | IndexNegate | Access | Reference | NumberLiteral;

/** `/` is exact division (an error where it leaves a remainder), `div` and `mod` are the floored ones. */
export interface IndexBinary {
  readonly kind: 'index-binary';
  readonly operator: '+' | '-' | '*' | '/' | 'div' | 'mod';
  readonly left: Index;
  readonly right: Index;
  readonly span: Span;
}

export interface IndexNegate {
  readonly kind: 'index-negate';
  readonly operand: Index;
  readonly span: Span;
}

// ---------------------------------------------------------------------------------------------------------------------

/** Any node with a `kind`. */
export type Node =
  | Program
  | Import
  | Item
  | Derivative
  | State
  | Domain
  | Train
  | Minimize
  | Weights
  | Parameter
  | Type
  | Axis
  | Statement
  | Dim
  | File
  | Value
  | DimArgument
  | Argument
  | Guard
  | Comparison
  | Index
  | StringLiteral;
