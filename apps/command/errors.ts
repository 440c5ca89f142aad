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

  constructor(
    message: string,
    remedy?: string,
    {
      json = {},
      coloured = false,
    }: { readonly json?: { readonly [key: string]: Json }; readonly coloured?: boolean } = {},
  ) {
    super(message);
    this.remedy = remedy;
    this.json = json;
    this.coloured = coloured;
  }
}

interface SystemError extends Error {
  readonly code: string;
}

export const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && !error.code.startsWith('ZKL_');

const causes: Readonly<Record<string, readonly [cause: string, remedy: string]>> = {
  ENOENT: ['there is no such file', 'check the path'],
  ENOTDIR: ['a part of the path is no directory', 'check the path'],
  EISDIR: ['it is a directory', 'name a file'],
  EACCES: ['permission denied', 'change its permissions, or use another place'],
  EPERM: ['the operation is not permitted', 'change its permissions, or use another place'],
  EROFS: ['the file system is read-only', 'use another place'],
  ENOSPC: ['no space left on the device', 'free some space, or use another place; nothing was written'],
  EDQUOT: ['the disk quota is used up', 'free some space, or use another place; nothing was written'],
  EFBIG: [
    'the file would be larger than allowed',
    'raise the limit (ulimit -f), or use another place; nothing was written',
  ],
  ENAMETOOLONG: ['the name is too long', 'choose a shorter one'],
  ELOOP: ['too many symbolic links', 'check the path'],
  EMFILE: ['too many open files', 'close some, or raise the limit (ulimit -n)'],
  EIO: ['the device reports an error', 'use another place'],
  ERR_FS_FILE_TOO_LARGE: ['the file is larger than 2 GiB', 'check that it is the right file'],
};

/** The message for a failed system call; errors of other kinds come back as they are. */
export function systemFailure(error: unknown, doing: string, path: string): unknown {
  if (!isSystemError(error)) return error;
  const [cause, remedy] = causes[error.code] ?? [error.code, 'check the path and the file system'];
  return new CliError(`cannot ${doing} ${path}: ${cause}`, remedy);
}

type ErrorClass = abstract new (...args: never[]) => Error;

/** A `ZklError`, told by its code so that this file need not load it. */
const isZklError = (error: Error): error is Error & { code: string; remedy: string | undefined } =>
  'code' in error && typeof error.code === 'string' && error.code.startsWith('ZKL_') && 'remedy' in error;

const isFormatError = (error: Error): error is Error & { file: string; problem: string } =>
  'code' in error && error.code === 'ZKL_FORMAT';

/** A failure the user can mend, or the error as it is. */
export function understood(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  // The arguments of the library's functions are this command's, not the user's.
  if (!isZklError(error) || error.code === 'ZKL_ARGUMENT') return error;
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
