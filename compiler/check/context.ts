/** What the parts of the checker share while one model is read: the program so far, and where a statement stands. */
import type * as ast from '../../grammar/ast.ts';
import type { Span } from '../../grammar/span.ts';
import type { Equation, Range, Rational, Table, Tensor, TensorId, TensorType } from '../ir/tensor/program.ts';
import type { Bounds } from './indices/bounds.ts';
import type { Schedule } from './optimizers/schedule.ts';
import type { Reporter } from './report.ts';
import type { BlockBinding, Scope } from './names/scope.ts';

/** A fixed-point type from the calibration file. */
export interface FixedType {
  readonly bits: number;
  readonly frac: number;
}

/** An index variable of an equation or reduction. */
export interface Variable {
  readonly name: string;
  readonly size: number;
}

/** A name without a written type that the calibration file has to give one. */
export interface Uncalibrated {
  /** Key in the calibration file: `at` path and defined names of a `round`, `source:name` of an open tensor. */
  readonly key: string;
  readonly span: Span;
}

/** Refused beyond these: a program that cannot be meant, and that would hang the compiler. */
export const MAX_ENTRIES = 2 ** 40;
export const MAX_STATEMENTS = 100_000;
export const MAX_CONSTANT_ENTRIES = 2 ** 22;

/** The entries of a constant tensor, row-major. */
export interface ConstantEntries {
  readonly values: readonly Rational[];
  readonly integers: readonly bigint[];
  readonly scale: Rational;
  readonly range: Range;
}

/** The statement-independent state of reading one model. */
export interface Session {
  readonly reporter: Reporter;
  readonly variables: Variable[];
  readonly tensors: Tensor[];
  readonly equations: Equation[];
  readonly tables: Table[];
  /** Real values of constant tensors, row-major. */
  readonly constants: Map<TensorId, readonly Rational[]>;
  /** Entries of constants that were worked out before, by declaration and by what they depend on. */
  readonly constantEntries: Map<object, Map<string, ConstantEntries>>;
  /** Declared tensors in source order. */
  readonly statement: TensorId[];
  /** Names of the sources that are outputs of other programs. */
  readonly stateSources: Set<string>;
  /** Tensors declared in `train`: not part of the model's own statement. */
  readonly training: Set<TensorId>;
  /** Where each weight (`source:full name`) was declared. */
  readonly weights: Map<string, Span>;
  /** Where each calibration key was used, and under which tensor. */
  readonly keys: Map<string, { readonly span: Span; readonly place: string }>;
  /** The width of a calibrated name in the first iteration that has it, and its key there. */
  readonly widths: Map<string, { readonly key: string; readonly bits: number }>;
  readonly calibration: Readonly<Record<string, FixedType>>;
  readonly uncalibrated: Uncalibrated[];
  /** Tensors that were named by a statement of the source, for warnings about unused definitions. */
  readonly named: Map<TensorId, Span>;
  readonly names: Set<string>;
  readonly bounds: Bounds;
  /** Variables that tensors made inside expressions run over. */
  readonly derived: Map<TensorId, number[]>;
  /** Names of block instances. */
  readonly instances: Set<string>;
  /** Blocks being read, outermost first: a block may not call itself. */
  readonly open: ast.Block[];
  /** The calls that were read to their end, inner ones before the one that they stand in. */
  readonly calls: CallRecord[];
  /** Tables already evaluated, by their declaration and the type of their argument. */
  readonly tableIds: Map<object, Map<string, number>>;
  /** Statements read so far, those of called blocks and of every iteration included. */
  statements: number;
  /** The value given from outside for a literal `dim` or `const` of the model. */
  readonly override: (frame: Frame, name: ast.Name, literal: boolean) => Rational | undefined;
  // Statements have equations, equations have calls, and blocks have statements: the circle is closed here.
  /** Reads a list of statements. */
  readonly walk: (frame: Frame, statements: readonly ast.Statement[]) => void;
  /** Reads a block for one call; the tensor of its result. */
  readonly instantiate: (frame: Frame, call: ast.Call, block: BlockBinding, instance: Instance) => TensorId;
}

/** What an instance of a block is called. */
export interface Instance {
  /** Name of its result. */
  readonly name: string;
  /** Stands before the names of what it makes. */
  readonly path: string;
  /** The same for calibration keys. */
  readonly key: readonly string[];
}

/** One call of a block, after its statements were read. */
export interface CallRecord {
  readonly block: ast.Block;
  /** Where the block's statements stood; its scope has all names of the block. */
  readonly frame: Frame;
  /** The tensors given, by parameter. */
  readonly arguments: ReadonlyMap<ast.Tensor, TensorId>;
  /** In the order of the block's results. */
  readonly results: readonly TensorId[];
  /** The equations of its statements in the session, those of calls inside it included, those of its arguments not. */
  readonly equations: { readonly from: number; readonly to: number };
  /** The call itself, and before it those that it stands in, outermost first. */
  readonly spans: readonly Span[];
}

/** Where a statement stands. */
export interface Frame {
  readonly scope: Scope;
  /** Names of the instances it stands in, for the names of tensors. */
  readonly path: readonly string[];
  /** Checkpoint path so far. */
  readonly at: readonly string[];
  /** The names being defined around it, for calibration keys: `path` without the counters of repeats. */
  readonly keys: readonly string[];
  readonly place: 'model' | 'block' | 'repeat' | 'train' | 'derivative' | 'optimizer';
  /** In the derivative of a block: calibration keys end in `.grad`. */
  readonly gradient?: boolean;
  /** In an optimizer: the steps over which its `public` lines are worked out. */
  readonly schedule?: Schedule;
  /** Declared results of the block and carried names of the repeat: what a definition of that name has to be. */
  readonly declared: ReadonlyMap<string, Declared>;
}

export interface Declared {
  readonly shape: readonly number[];
  readonly type?: TensorType;
  /** The calibration key that gave the type. */
  readonly key?: string;
  /** Full name of the tensor, where it is not the path and the defined name. */
  readonly name?: string;
  /**
   * The declared type is that of a carried name: it must not change, or only in its scale, which calibration gives for
   * each iteration.
   */
  readonly carried?: 'type' | 'width';
  readonly span: Span;
}

/** What a place is called in messages. */
export const describePlace = (place: Frame['place']): string =>
  place === 'optimizer' ? 'an optimizer' : place === 'train' ? '`train`' : `a ${place}`;

export const typeRange = (type: TensorType): Range =>
  type.kind === 'index'
    ? { lo: 0n, hi: BigInt(type.size) - 1n }
    : { lo: -(1n << BigInt(type.bits - 1)), hi: (1n << BigInt(type.bits - 1)) - 1n };

export const formatType = (type: TensorType): string =>
  type.kind === 'index' ? `index<${type.size}>` : `fixed<${type.bits}, ${type.frac}>`;

export const sameType = (a: TensorType, b: TensorType): boolean => formatType(a) === formatType(b);

/** A name for a tensor that no other has. */
export function freshName(session: Session, name: string): string {
  let unique = name;
  for (let n = 2; session.names.has(unique); n++) unique = `${name}.${n}`;
  session.names.add(unique);
  return unique;
}

export function addTensor(session: Session, tensor: Omit<Tensor, 'id' | 'name'> & { readonly name: string }): Tensor {
  const made: Tensor = { ...tensor, id: session.tensors.length, name: freshName(session, tensor.name) };
  session.tensors.push(made);
  return made;
}

export function addVariable(session: Session, name: string, size: number): number {
  session.variables.push({ name, size });
  return session.variables.length - 1;
}

/** Makes fresh variables like others. */
export const copier =
  (session: Session) =>
  (id: number): number =>
    addVariable(session, session.variables[id].name, session.variables[id].size);

export const entries = (shape: readonly number[]): number => shape.reduce((n, length) => n * length, 1);
