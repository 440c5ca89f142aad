/** What this machine, its files or its devices do not give. */
import { ZklError } from '../../compiler/ir/errors.ts';

export type HostProblem =
  /** A call to the system failed; `system` is its code, ENOENT for instance. */
  | { readonly kind: 'system'; readonly path: string; readonly system: string }
  /** What stands at a path, or is missing there, is not what it has to be. */
  | { readonly kind: 'place'; readonly path: string }
  /** Writing would replace what must stay: an input, a file of another kind, or one that is needed. */
  | { readonly kind: 'replaces'; readonly path: string }
  /** More bytes than are read. */
  | { readonly kind: 'large'; readonly path: string; readonly most: number }
  /** Weights lack a tensor, or have it in another shape. */
  | { readonly kind: 'tensor'; readonly path: string; readonly tensor: string }
  /** There is one standard input, and two are to read it. */
  | { readonly kind: 'stdin' }
  | { readonly kind: 'gpu'; readonly lacks: 'package' | 'adapter' };

/** Something outside of zkl that its user can mend. The message names the thing. */
export class HostError extends ZklError {
  declare readonly remedy: string;
  readonly problem: HostProblem;

  constructor(message: string, remedy: string, problem: HostProblem) {
    super('HostError', 'ZKL_HOST', message, { remedy });
    this.problem = problem;
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
  return new HostError(`cannot ${doing} ${path}: ${cause}`, remedy, { kind: 'system', path, system: error.code });
}
