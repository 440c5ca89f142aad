/** What went wrong, for people: the thing, and the remedy. */
import type { Json } from './parse/command.ts';

/** A failure that is the user's to mend. Ends the command with exit status 2. */
export class CliError extends Error {
  /** One sentence in the imperative. */
  readonly remedy: string | undefined;
  /** Members of the object that `--json` prints, besides `ok` and `error`. */
  readonly json: { readonly [key: string]: Json };
  /** The remedy has colours of ours. */
  readonly coloured: boolean;
  /** Where there are several: a line each, after the message. */
  readonly reasons: readonly string[];

  constructor(
    message: string,
    remedy?: string,
    {
      json = {},
      coloured = false,
      reasons = [],
    }: {
      readonly json?: { readonly [key: string]: Json };
      readonly coloured?: boolean;
      readonly reasons?: readonly string[];
    } = {},
  ) {
    super(message);
    this.remedy = remedy;
    this.json = json;
    this.coloured = coloured;
    this.reasons = reasons;
  }
}

type ErrorClass = abstract new (...args: never[]) => Error;

/** A `ZklError`, told by its code so that this file need not load it. */
const isZklError = (error: Error): error is Error & { code: string; remedy: string | undefined } =>
  'code' in error && typeof error.code === 'string' && error.code.startsWith('ZKL_') && 'remedy' in error;

/** A `FormatErrors`. */
const isSeveral = (error: Error): error is Error & { file: string; what: string; errors: readonly Error[] } =>
  isFormatError(error) && 'errors' in error && Array.isArray(error.errors);

const isFormatError = (error: Error): error is Error & { file: string; problem: string } =>
  'code' in error && error.code === 'ZKL_FORMAT';

/** A failure the user can mend, or the error as it is. */
export function understood(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  // The arguments of the library's functions are this command's, not the user's.
  if (!isZklError(error) || error.code === 'ZKL_ARGUMENT') return error;
  if (isSeveral(error)) {
    const reasons = error.errors.map((e) => e.message);
    return new CliError(`${error.file}: ${error.what}`, error.remedy, { reasons });
  }
  return new CliError(isFormatError(error) ? `${error.file}: ${error.problem}` : error.message, error.remedy);
}

/** Runs `body`; errors of the given classes, which libraries throw for bad input, become messages about `thing`. */
export async function about<T>(
  thing: string,
  remedy: string,
  classes: readonly ErrorClass[],
  body: () => T | Promise<T>,
): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof Error && classes.some((c) => error instanceof c))
      throw new CliError(`${thing}: ${error.message}`, remedy);
    throw error;
  }
}
