/** A run in a directory: what is secret is for its owner alone, and one process at a time writes. */
import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { RunStore } from '../../../models/run/store.ts';
import { HostError, isSystemError, systemFailure } from '../errors.ts';
import { MAX_BUNDLE } from '../limits.ts';
import { readInput } from './read.ts';
import { writeOutputs } from './write.ts';

/** Entries of a run's directory. */
const OWN = /^(?:run\.json|[\w-]+\.zkc|programs|steps|links|private)$/;
/** What an interrupted write leaves. */
const LEFT = /^\..+\.[0-9a-f]{12}\.tmp$/;
/** A process that writes, by its number. */
const LOCK = /^lock\.(\d+)\.[0-9a-f]{12}$/;
/** Times that a process asks for the lock. */
const TRIES = 4;
/** Those of this process. */
const held = new Set<string>();

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
  // Not at once: all that is made on the way would be for the owner alone.
  await makeDirectory(path, false);
  await makeDirectory(secret, true);
  await chmod(secret, 0o700).catch((error: unknown) => {
    throw systemFailure(error, 'write', secret);
  });
  const lock = await takeLock(secret, path);
  try {
    for (const folder of ['.', 'programs', 'steps', 'links', 'private', 'private/state', 'private/links'])
      await removeLeft(join(path, folder));
    return await body(directoryStore(path));
  } finally {
    await giveLock(lock);
  }
}

async function foreignEntry(path: string): Promise<string | undefined> {
  try {
    return (await readdir(path)).find((name) => !OWN.test(name) && !LEFT.test(name));
  } catch (error) {
    throw systemFailure(error, 'read the directory', path);
  }
}

/** A process has the lock where its own file is there before it sees that no other's is: so never two, and perhaps none of them. */
async function takeLock(secret: string, path: string): Promise<string> {
  const own = join(secret, `lock.${process.pid}.${randomBytes(6).toString('hex')}`);
  for (let tries = 1; ; tries++) {
    held.add(own);
    try {
      await writeFile(own, '', { flag: 'wx', mode: 0o600 });
      const other = await otherLock(secret, own);
      if (other === undefined) return own;
      if (tries === TRIES)
        throw new HostError(
          `the process ${ownerOf(other)} is at work on ${path}`,
          `wait until it ends, or end it; if it is something else, remove ${join(secret, other)}`,
          { kind: 'place', path: join(secret, other) },
        );
    } catch (error) {
      await giveLock(own);
      throw systemFailure(error, 'write', own);
    }
    await giveLock(own);
    await setTimeout(randomInt(10, 100));
  }
}

async function giveLock(own: string): Promise<void> {
  await rm(own, { force: true });
  held.delete(own);
}

/** That of a process that lives. Those of others, which were killed, are removed: no process has such a name again. */
async function otherLock(secret: string, own: string): Promise<string | undefined> {
  for (const name of await readdir(secret)) {
    const file = join(secret, name);
    if (!LOCK.test(name) || file === own) continue;
    if (held.has(file) || isAlive(ownerOf(name))) return name;
    await rm(file, { force: true });
  }
  return undefined;
}

const ownerOf = (lock: string): number => Number(LOCK.exec(lock)?.[1]);

/** Whether there is such a process, of whomever. In a container that was started anew this one may have the number of one before it. */
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
