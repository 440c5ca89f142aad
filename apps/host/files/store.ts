/** A run in a directory: what is secret is for its owner alone, and one process at a time writes. */
import { existsSync, statSync } from 'node:fs';
import { chmod, mkdir, open, readdir, readFile, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RunStore } from '../../../models/run/store.ts';
import { HostError, isSystemError, systemFailure } from '../errors.ts';
import { MAX_BUNDLE } from '../limits.ts';
import { readInput } from './read.ts';
import { writeOutputs } from './write.ts';

/** Entries of a run's directory. */
const OWN = /^(?:run\.json|[\w-]+\.zkc|programs|steps|links|private)$/;
/** What an interrupted write leaves. */
const LEFT = /^\..+\.[0-9a-f]{12}\.tmp$/;
const LOCK = 'private/lock';

export function directoryStore(path: string): RunStore {
  return {
    has: async (name) => existsSync(join(path, name)),
    read: async (name) => {
      const file = join(path, name);
      if (!existsSync(file)) return undefined;
      // Whoever made the run may have put a pipe there, which would be waited for, or a device without an end.
      if (!statSync(file).isFile())
        throw new HostError(`cannot read ${file}: it is no file`, 'take it from a copy of the run', {
          ...{ kind: 'place', path: file },
        });
      return readInput(file, 'a file of the run', MAX_BUNDLE);
    },
    write: async (files) => {
      for (const { name } of files) await makeDirectory(dirname(join(path, name)), name.startsWith('private/'));
      await writeOutputs(
        files.map(({ name, bytes, secret }) => ({ path: join(path, name), bytes, ...(secret ? { mode: 0o600 } : {}) })),
      );
    },
  };
}

async function makeDirectory(directory: string, secret: boolean): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, ...(secret ? { mode: 0o700 } : {}) });
  } catch (error) {
    throw systemFailure(error, 'create the directory', directory);
  }
}

/**
 * Makes a run's directory if need be, and keeps other processes from writing into it while `body` runs. Files that were being
 * written when an earlier process was killed are removed.
 *
 * @throws HostError where another process is at work, or where something else stands
 */
export async function withRunDirectory<T>(path: string, body: (store: RunStore) => Promise<T>): Promise<T> {
  const secret = join(path, 'private');
  const foreign = existsSync(path) ? await foreignEntry(path) : undefined;
  if (foreign !== undefined)
    throw new HostError(
      `${path} is there, and is no run: it has ${foreign}`,
      'name a directory that is new, or empty',
      {
        kind: 'replaces',
        path,
      },
    );
  await makeDirectory(secret, true);
  await chmod(secret, 0o700);
  const lock = join(path, LOCK);
  await takeLock(lock, path);
  try {
    for (const folder of ['.', 'programs', 'steps', 'links', 'private', 'private/state', 'private/links'])
      await removeLeft(join(path, folder));
    return await body(directoryStore(path));
  } finally {
    await rm(lock, { force: true });
  }
}

async function foreignEntry(path: string): Promise<string | undefined> {
  try {
    return (await readdir(path)).find((name) => !OWN.test(name) && !LEFT.test(name));
  } catch (error) {
    throw systemFailure(error, 'read the directory', path);
  }
}

async function takeLock(lock: string, path: string): Promise<void> {
  for (;;)
    try {
      const file = await open(lock, 'wx', 0o600);
      await file.writeFile(`${process.pid}\n`);
      await file.close();
      return;
    } catch (error) {
      if (!isSystemError(error) || error.code !== 'EEXIST') throw systemFailure(error, 'write', lock);
      const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
      if (isAlive(owner))
        throw new HostError(
          `the process ${owner} is at work on ${path}`,
          `wait until it ends, or end it; if it is something else, remove ${lock}`,
          { kind: 'place', path: lock },
        );
      await unlink(lock).catch(() => undefined);
    }
}

/** Whether there is such a process, of whomever. */
function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid < 1 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isSystemError(error) && error.code === 'EPERM';
  }
}

async function removeLeft(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names) if (LEFT.test(name)) await rm(join(directory, name), { force: true });
}

/** Numbers of the proofs in a folder of a run, in order. */
export async function numbersIn(path: string, folder: 'steps' | 'links'): Promise<number[]> {
  const names = await readdir(join(path, folder)).catch(() => []);
  return names.flatMap((name) => (/^\d{6,}\.zkp$/.test(name) ? [parseInt(name, 10)] : [])).sort((a, b) => a - b);
}
