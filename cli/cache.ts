/**
 * What zkl keeps between runs, in $XDG_CACHE_HOME/zkl or ~/.cache/zkl: commitment generators (compared with a digest in
 * the code when loaded), which kernels are fastest on a GPU, and the digests of commitments whose range proofs were validated. Who can write there can make
 * `verify` skip the validation of a commitment; `--no-cache` leaves the directory alone. Without a place to write to,
 * everything works and is computed each time.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { GeneratorCache } from '../runtime/curve/generators.ts';
import type { VariantCache } from '../runtime/device/webgpu/index.ts';
import type { ValidationCache } from '../runtime/verifier/index.ts';
import { isSystemError } from './errors.ts';
import { version } from './place.ts';

export function cacheDirectory(): string | undefined {
  const xdg = process.env['XDG_CACHE_HOME'];
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'zkl');
  try {
    const home = homedir();
    return isAbsolute(home) ? join(home, '.cache', 'zkl') : undefined;
  } catch {
    return undefined;
  }
}

const quietly = async <T>(body: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await body();
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
};

/** Whole or not at all, as two runs may store the same entry. */
async function store(directory: string, name: string, bytes: Uint8Array): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, name);
  const staged = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(staged, bytes, { flag: 'wx', mode: 0o600 });
    await rename(staged, path);
  } catch (error) {
    await quietly(() => unlink(staged));
    throw error;
  }
}

export function generatorCache(directory = cacheDirectory()): GeneratorCache | undefined {
  if (directory === undefined) return undefined;
  return {
    load: (name) => quietly(() => readFile(join(directory, name))),
    store: async (name, bytes) => {
      await quietly(() => store(directory, name, bytes));
    },
  };
}

export function validationCache(directory = cacheDirectory()): ValidationCache | undefined {
  if (directory === undefined) return undefined;
  // A later release may validate more.
  const name = (digest: string): string => `valid-${version()}-${digest}`;
  return {
    has: async (digest) => (await quietly(() => stat(join(directory, name(digest)))))?.isFile() ?? false,
    add: async (digest) => {
      await quietly(() => store(directory, name(digest), new Uint8Array()));
    },
  };
}

/** What was measured of GPUs. Whatever a file says, the device takes only variants that it knows, and all of them are right. */
export function calibrationCache(directory = cacheDirectory()): VariantCache | undefined {
  if (directory === undefined) return undefined;
  const name = (key: string): string =>
    `gpu-${version()}-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
  return {
    load: (key) => quietly(() => readFile(join(directory, name(key)), 'utf8')),
    store: async (key, value) => {
      await quietly(() => store(directory, name(key), Buffer.from(value)));
    },
  };
}
