/**
 * Files out. An output appears whole or not at all: it is written under a temporary name in its own directory,
 * synced, and renamed when all outputs of the command are there.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { mkdir, open, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { HostError, isSystemError, systemFailure } from '../errors.ts';
import { realPath, STREAM } from '../outputs.ts';

export interface Output {
  readonly path: string;
  readonly bytes: Uint8Array | string;
  /** Permission bits; by default what the umask leaves of 0o666. */
  readonly mode?: number;
  /** An existing file is an error, never replaced. */
  readonly exclusive?: boolean;
  /** The file is there, and stays the same one, with its owner and under all of its names: its content is written over. */
  readonly inPlace?: boolean;
}

const temporary = new Set<string>();

/** Writes all of them, or none. The first ones in the list appear first. @throws HostError naming the file and the remedy */
export async function writeOutputs(outputs: readonly Output[]): Promise<void> {
  cleanUpOnSignals();
  const staged: { readonly output: Output; readonly from: string; readonly to: string }[] = [];
  try {
    for (const output of outputs) {
      if (output.path === STREAM) {
        await writeToStdout(output.bytes);
        continue;
      }
      const to = realPath(output.path);
      if (await isSpecial(to)) await writeThrough(output, to);
      else staged.push({ output, from: await stage(output, to), to });
    }
    appear(staged);
    for (const directory of new Set(staged.map(({ to }) => dirname(to)))) await syncDirectory(directory);
  } finally {
    for (const { from } of staged) discard(from);
  }
}

/** Makes a directory for what `body` writes; if that fails, what was made for it goes again. @throws HostError */
export async function inDirectory<T>(path: string, body: () => Promise<T>): Promise<T> {
  const first = await makeDirectory(path);
  try {
    return await body();
  } catch (error) {
    if (first !== undefined) await removeEmpty(path, first);
    throw error;
  }
}

/** Returns the uppermost directory that was made, if any was. */
async function makeDirectory(path: string): Promise<string | undefined> {
  try {
    return await mkdir(path, { recursive: true });
  } catch (error) {
    if (isSystemError(error) && error.code === 'EEXIST')
      throw new HostError(`cannot write into ${path}: it is a file`, 'name a directory', { kind: 'place', path });
    throw systemFailure(error, 'create the directory', path);
  }
}

async function removeEmpty(path: string, last: string): Promise<void> {
  for (let directory = resolve(path); ; directory = dirname(directory)) {
    try {
      await rmdir(directory);
    } catch {
      return;
    }
    if (directory === resolve(last)) return;
  }
}

/** Ends when all of it has gone out. */
async function writeToStdout(data: Uint8Array | string): Promise<void> {
  const error = await new Promise<Error | null | undefined>((resolve) => {
    process.stdout.write(data, resolve);
  });
  if (error) throw systemFailure(error, 'write', 'to stdout');
}

/** Devices and pipes cannot be replaced by renaming, and must not be. */
async function isSpecial(path: string): Promise<boolean> {
  try {
    const s = await stat(path);
    return !s.isFile() && !s.isDirectory();
  } catch {
    return false;
  }
}

async function writeThrough(output: Output, path: string): Promise<void> {
  try {
    const file = await open(path, 'w');
    try {
      await file.writeFile(output.bytes);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw systemFailure(error, 'write', output.path);
  }
}

/** Writes the output beside its place. Returns the temporary name. */
async function stage(output: Output, to: string): Promise<string> {
  const from = join(dirname(to), `.${basename(to).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`);
  temporary.add(from);
  try {
    const file = await open(from, 'wx', output.mode ?? 0o666);
    try {
      await file.writeFile(output.bytes);
      // The umask may have taken some away.
      if (((output.mode ?? 0) & ~(await file.stat()).mode) !== 0) await file.chmod(output.mode ?? 0);
      await file.sync();
    } finally {
      await file.close();
    }
    return from;
  } catch (error) {
    discard(from);
    throw systemFailure(error, 'write', output.path);
  }
}

/** Without an await between the renames, so that no signal handler of ours runs between them. */
function appear(staged: readonly { readonly output: Output; readonly from: string; readonly to: string }[]): void {
  const fresh: string[] = [];
  for (const { output, from, to } of staged)
    try {
      const replaces = existsSync(to);
      if (output.inPlace) overwrite(to, readFileSync(from));
      else if (output.exclusive) renameExclusively(from, to);
      else renameSync(from, to);
      if (!replaces) fresh.push(to);
    } catch (error) {
      for (const path of fresh) discard(path);
      if (isSystemError(error) && error.code === 'EEXIST')
        throw new HostError(`${output.path} exists`, 'choose another place for it', {
          kind: 'replaces',
          path: output.path,
        });
      throw systemFailure(error, 'write', output.path);
    }
}

/** What stood there is put back if the new content does not fit. If the machine stops in between, that is in the temporary file. */
function overwrite(path: string, data: Uint8Array): void {
  const before = readFileSync(path);
  const file = openSync(path, 'r+');
  const put = (content: Uint8Array): void => {
    for (let at = 0; at < content.length;) at += writeSync(file, content, at, content.length - at, at);
    ftruncateSync(file, content.length);
    fsyncSync(file);
  };
  try {
    put(data);
  } catch (error) {
    put(before);
    throw error;
  } finally {
    closeSync(file);
  }
}

function renameExclusively(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    // Not every file system has hard links.
    if (!isSystemError(error) || error.code === 'EEXIST') throw error;
    if (existsSync(to)) throw Object.assign(new Error('exists'), { code: 'EEXIST' });
    renameSync(from, to);
  }
}

/** After a rename the name is gone already. */
function discard(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
  temporary.delete(path);
}

/** So that the new names survive a power cut; where a file system cannot, the files are still whole. */
async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = await open(path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

let cleaning = false;

function cleanUpOnSignals(): void {
  if (cleaning) return;
  cleaning = true;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      for (const path of temporary) discard(path);
      process.kill(process.pid, signal);
    });
}
