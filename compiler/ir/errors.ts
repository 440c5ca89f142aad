/**
 * What zkl throws, all of one class. It stands here because compiler, runtime and verifier all have the bundle in common;
 * what only files, GPUs or programs can get wrong is defined beside what reads them.
 */

export type ZklErrorCode =
  | 'ZKL_ARGUMENT'
  | 'ZKL_BUDGET'
  | 'ZKL_CODEC'
  | 'ZKL_EVALUATION'
  | 'ZKL_FORMAT'
  | 'ZKL_GPU'
  | 'ZKL_HOST'
  | 'ZKL_NODE_GPU'
  | 'ZKL_PACKAGE'
  | 'ZKL_PROGRAM'
  | 'ZKL_SELF_CHECK'
  | 'ZKL_VALUE';

export interface ZklErrorOptions extends ErrorOptions {
  readonly remedy?: string | undefined;
}

/** Anything that went wrong for a reason outside of zkl. Other errors are faults of zkl, or the platform's own. */
export abstract class ZklError extends Error {
  /** The same for all errors of a class, also in bundles whose class names are shortened. */
  readonly code: ZklErrorCode;
  /** What to do about it, in the imperative, where that is known. */
  readonly remedy: string | undefined;

  constructor(name: string, code: ZklErrorCode, message: string, { remedy, ...options }: ZklErrorOptions = {}) {
    super(message, options);
    this.name = name;
    this.code = code;
    this.remedy = remedy;
  }
}

/** A function was called with something else than it takes. */
export class ArgumentError extends ZklError {
  /** As a path from the function's parameters: `weights["m.A"].values`. */
  readonly argument: string;
  readonly expected: string;
  /** What it was, by kind: never the content, which may be secret. */
  readonly given: string;

  constructor(argument: string, expected: string, given: string, remedy?: string) {
    super(
      'ArgumentError',
      'ZKL_ARGUMENT',
      `${argument}: expected ${expected}, got ${given}${remedy === undefined ? '' : `; ${remedy}`}`,
      { remedy },
    );
    this.argument = argument;
    this.expected = expected;
    this.given = given;
  }
}

/** A package that only some of the library needs is not installed. */
export class PackageError extends ZklError {
  readonly package: string;

  constructor(name: string, message: string, options?: ErrorOptions) {
    super('PackageError', 'ZKL_PACKAGE', message, { remedy: `npm install ${name}`, ...options });
    this.package = name;
  }
}

/** What the bytes were read as. */
export type FileName = 'bundle' | 'commitment' | 'opening' | 'proof';

/** Bytes that are no file of zkl, or no canonical encoding. */
export class CodecError extends ZklError {
  readonly file: FileName | undefined;

  constructor(message: string, options: ZklErrorOptions & { readonly file?: FileName | undefined } = {}) {
    const { file, ...others } = options;
    super('CodecError', 'ZKL_CODEC', message, others);
    this.file = file;
  }
}

const remedies: Readonly<Record<FileName, string>> = {
  bundle: 'compile the program again',
  commitment: 'give the commitment, whole, as `commit` made it',
  opening: 'give the opening, whole, as `commit` made it',
  proof: 'give the proof, whole, as `prove` made it',
};

/** Runs `read`; what it refuses says what it was read as. */
export function reading<T>(file: FileName, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CodecError) || error.file !== undefined) throw error;
    throw new CodecError(error.message, { file, remedy: error.remedy ?? remedies[file], cause: error });
  }
}

export type ValueProblem =
  /** No tensor was given for an input. */
  | { readonly kind: 'missing' }
  /** A tensor or a source that the program does not have; `known` are those it has. */
  | { readonly kind: 'unknown'; readonly known: readonly string[] }
  | { readonly kind: 'shape'; readonly expected: readonly number[]; readonly given: readonly number[] }
  /** An integer outside its type, its domain or its proved range. */
  | { readonly kind: 'range'; readonly index: readonly number[]; readonly value?: bigint; readonly bits?: number }
  /** A number that is not finite, or does not fit its type once scaled. */
  | { readonly kind: 'number'; readonly index: readonly number[]; readonly value?: number; readonly bits?: number }
  /** A divisor or the argument of a root that is not positive. */
  | { readonly kind: 'divisor'; readonly index: readonly number[]; readonly value?: bigint }
  /** Weights that are not those an opening was made for. */
  | { readonly kind: 'opening' }
  /** A secret source where only an open one can be checked. */
  | { readonly kind: 'secret' };

export interface ValueErrorOptions extends ZklErrorOptions {
  /** The tensor or, where none is named, the source. */
  readonly tensor?: string | undefined;
  readonly problem?: ValueProblem | undefined;
  readonly code?: ZklErrorCode;
  readonly name?: string;
}

/**
 * Numbers that have no meaning in a program. The message names tensor and entry. A prover's errors have no `value`, as theirs
 * may be hidden ones.
 */
export class ValueError extends ZklError {
  readonly tensor: string | undefined;
  readonly problem: ValueProblem | undefined;
  /** Of the entry. */
  readonly index: readonly number[] | undefined;
  readonly value: number | bigint | undefined;

  constructor(message: string, options: ValueErrorOptions = {}) {
    const { tensor, problem, code = 'ZKL_VALUE', name = 'ValueError', ...others } = options;
    super(name, code, message, others);
    this.tensor = tensor;
    this.problem = problem;
    this.index = problem && 'index' in problem ? problem.index : undefined;
    this.value = problem && 'value' in problem ? problem.value : undefined;
  }
}
