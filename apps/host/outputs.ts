/**
 * What an output may replace. Nothing is computed for a place that cannot be written, that this command reads from, or where something of
 * another kind stands: a slip of the hand must not cost a file.
 */
import { lstatSync, readlinkSync, realpathSync, type Stats } from 'node:fs';
import { access, constants, open, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { HostError, isSystemError, systemFailure, type HostProblem } from './errors.ts';

/** Stands for stdin where a file is read, and for stdout where one is written. */
export const STREAM = '-';

/** A kind of file that zkl writes. */
export interface OutputKind {
  /** With its article: "a bundle". */
  readonly name: string;
  /** Whether a file that begins with these bytes is of this kind. */
  is(start: Uint8Array, path: string): boolean;
}

/** What is read of a file to tell its kind. */
const ENOUGH = 2 ** 20;

const packed = (name: string, letter: string): OutputKind => ({
  name,
  is: (start) => new TextDecoder('latin1').decode(start.subarray(0, 4)) === `ZKL${letter}`,
});

function textOf(start: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: start.length === ENOUGH });
  } catch {
    return undefined;
  }
}

/** Exactly what `calibrate` writes; of a file too long to be looked at whole, its beginning. */
function isCalibration(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
    return /^about,weights,values(,measured)?$/.test(keys.join());
  } catch {
    return text.length >= ENOUGH / 4 && /^\s*\{\s*"about":[^{}]*"weights":\s*\{/.test(text);
  }
}

/** The first lines of what `compile --emit` prints. */
const printed = /^(program \S+\n\nstatement |program ".*": \d+ levels, |kernels of ".*"\n)/;

export const kinds = {
  bundle: packed('a bundle', 'b'),
  commitment: packed('a commitment', 'c'),
  opening: packed('an opening', 'o'),
  proof: packed('a proof', 'p'),
  program: {
    name: 'a .zkl program',
    is: (start, path) => path.endsWith('.zkl') && textOf(start) !== undefined,
  },
  stage: {
    name: 'a printed program',
    is: (start) => printed.test(textOf(start) ?? ''),
  },
  calibration: {
    name: 'a calibration',
    is: (start) => isCalibration(textOf(start) ?? ''),
  },
} as const satisfies Readonly<Record<string, OutputKind>>;

/**
 * @param inputs what the command reads: files, and directories whose files it may read; undefined ones and `-` are none
 * @throws HostError before anything is computed, where the output could not be written or would replace what it must not
 */
export async function checkOutput(
  path: string,
  kind: OutputKind,
  inputs: readonly (string | undefined)[],
): Promise<void> {
  if (path === STREAM) return;
  const place: HostProblem = { kind: 'place', path };
  const replaces: HostProblem = { kind: 'replaces', path };
  if (/[/\\]$/.test(path))
    throw new HostError(`cannot write ${path}: it names a directory`, 'name a file in it', place);
  await checkPlace(path);
  const status = await statusOf(path);
  if (!status) return;
  if (status.isDirectory()) throw new HostError(`cannot write ${path}: it is a directory`, 'name a file in it', place);
  if (!status.isFile()) return;
  const real = realpathSync(path);
  for (const input of inputs) {
    if (input === undefined || input === STREAM) continue;
    const own = await statusOf(input);
    if (!own) continue;
    if (own.ino === status.ino && own.dev === status.dev)
      throw new HostError(
        `${path} is an input of this command: it would be lost`,
        'name another file for the output',
        replaces,
      );
    if (own.isDirectory() && real.startsWith(join(realpathSync(input), sep)))
      throw new HostError(
        `${path} is a file of ${input}, which this command reads: it would be lost`,
        'name another file for the output',
        replaces,
      );
  }
  if (status.size > 0 && !kind.is(await startOf(path), path))
    throw new HostError(
      `${path} exists and is not ${kind.name}: it would be lost`,
      'name another file for the output, or move that one away',
      replaces,
    );
  checkWritable(path, status);
}

/**
 * Whether a directory for outputs is there already. If not, it is made when there is something to write.
 * @throws HostError where it cannot be
 */
export async function checkDirectory(path: string): Promise<boolean> {
  const whole = resolve(path);
  for (let at = whole; ; at = dirname(at)) {
    const status = await statusOf(at);
    if (status?.isDirectory()) {
      if (at === whole) return true;
      await access(at, constants.W_OK).catch((error: unknown) => {
        throw systemFailure(error, 'create the directory', path);
      });
      return false;
    }
    if (status || isLink(at))
      throw new HostError(
        `cannot write into ${path}: ${at === whole ? 'it' : at} is ${status ? 'a file' : 'a link to what is not there'}`,
        'name a directory',
        { kind: 'place', path: at },
      );
  }
}

/**
 * Renaming would replace a read-only file, whose permissions say that it is to stay as it is.
 * @throws HostError
 */
export function checkWritable(path: string, status: Stats): void {
  if ((status.mode & 0o222) === 0)
    throw new HostError(`cannot write ${path}: it is read-only`, `allow it: chmod u+w ${path}`, {
      kind: 'place',
      path,
    });
}

async function checkPlace(path: string): Promise<void> {
  const directory = dirname(realPath(path));
  let isDirectory: boolean;
  try {
    isDirectory = (await stat(directory)).isDirectory();
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT')
      throw new HostError(
        `cannot write ${path}: the directory ${directory} does not exist`,
        `create it: mkdir -p ${directory}`,
        { kind: 'place', path: directory },
      );
    throw systemFailure(error, 'write', path);
  }
  if (!isDirectory)
    throw new HostError(`cannot write ${path}: ${directory} is no directory`, 'check the path', {
      kind: 'place',
      path: directory,
    });
}

/**
 * Where a path leads through symbolic links, so that a link stays one when its file is replaced, or made: what a link names need not be there.
 * @throws HostError for links that lead round in a circle
 */
export function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (isSystemError(error) && error.code === 'ELOOP') throw systemFailure(error, 'write', path);
    return isLink(path) ? realPath(resolve(realpathSync(dirname(path)), readlinkSync(path))) : path;
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

async function statusOf(path: string) {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}

/** The beginning of a file: enough to tell its kind. */
export async function startOf(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(ENOUGH), 0, ENOUGH, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw systemFailure(error, 'read', path);
  }
}
