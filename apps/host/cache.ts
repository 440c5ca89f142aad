/**
 * What zkl keeps between runs: commitment generators (compared with a digest in the code when loaded), which kernels are fastest on a GPU, what
 * was measured of programs on samples, the digests of commitments whose range proofs were validated, and of those to open weights that were compared with the weights. Who can write
 * there could make `verify` skip a check: so it is kept only where nobody else can (`directory.ts`), and `--no-cache` leaves it alone. Without
 * such a place, everything works and is computed each time.
 */
import { createHash, randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { lstat, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { GeneratorCache } from '../../runtime/curve/generators.ts';
import type { VariantCache } from '../../runtime/device/webgpu/index.ts';
import type { ValidationCache } from '../../runtime/verifier/index.ts';
import { believedDirectory } from './directory.ts';
import { isSystemError } from './errors.ts';
import { PACKAGE_ROOT, version } from './place.ts';
import { filesBelow } from './walk.ts';

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

/** Whether an entry is a file of this user's that nobody else can write: others may have left some while the directory was theirs to write. */
async function isOwn(path: string): Promise<boolean> {
  const status = await quietly(() => lstat(path));
  const me = process.getuid?.();
  return status?.isFile() === true && (me === undefined || (status.uid === me && (status.mode & 0o022) === 0));
}

export function generatorCache(directory = believedDirectory()): GeneratorCache | undefined {
  if (directory === undefined) return undefined;
  return {
    load: (name) => quietly(() => readFile(join(directory, name))),
    store: async (name, bytes) => {
      await quietly(() => store(directory, name, bytes));
    },
  };
}

export function validationCache(directory = believedDirectory()): ValidationCache | undefined {
  if (directory === undefined) return undefined;
  // A later release may validate more.
  const name = (digest: string): string => `valid-${version()}-${digest}`;
  return {
    has: (digest) => isOwn(join(directory, name(digest))),
    add: async (digest) => {
      await quietly(() => store(directory, name(digest), new Uint8Array()));
    },
  };
}

/** What was measured of GPUs. Whatever a file says, the device takes only variants that it knows, and all of them are right. */
export function calibrationCache(directory = believedDirectory()): VariantCache | undefined {
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

/** When and with which weights a commitment to open weights was compared. */
export interface CheckRecord {
  /** As YYYY-MM-DD. */
  readonly date: string;
  /** The path of the weights. */
  readonly weights: string;
}

/** Remembers which commitments to open weights were compared with the weights, by the commitment's digest. */
export interface CheckedCache {
  get(digest: string): Promise<CheckRecord | undefined>;
  add(digest: string, weights: string): Promise<void>;
}

export function checkedCache(directory = believedDirectory()): CheckedCache | undefined {
  if (directory === undefined) return undefined;
  const name = (digest: string): string => `checked-${version()}-${digest}`;
  return {
    async get(digest) {
      const path = join(directory, name(digest));
      const text = (await isOwn(path)) ? await quietly(() => readFile(path, 'utf8')) : undefined;
      const [, date, weights] = /^(\d{4}-\d{2}-\d{2}) (.+)\n$/s.exec(text ?? '') ?? [];
      return date === undefined ? undefined : { date, weights };
    },
    async add(digest, weights) {
      const line = `${new Date().toISOString().slice(0, 10)} ${weights}\n`;
      await quietly(() => store(directory, name(digest), Buffer.from(line)));
    },
  };
}

/** Remembers what was measured, by a digest of all that it was measured on. */
export interface MeasuredCache<T> {
  get(digest: string): Promise<{ readonly value: T; readonly date: string } | undefined>;
  add(digest: string, value: T): Promise<void>;
}

/** @param kind of what is measured: there may be one type for each */
export function measuredCache<T>(kind: string, directory = believedDirectory()): MeasuredCache<T> | undefined {
  if (directory === undefined) return undefined;
  const name = (digest: string): string => `${kind}-${digest}`;
  return {
    async get(digest) {
      const path = join(directory, name(digest));
      const bytes = (await isOwn(path)) ? await quietly(() => readFile(path)) : undefined;
      try {
        return bytes && (deserialize(bytes) as { value: T; date: string });
      } catch {
        // Of another version of Node, or damaged.
        return undefined;
      }
    },
    async add(digest, value) {
      const bytes = serialize({ value, date: new Date().toISOString().slice(0, 10) });
      await quietly(() => store(directory, name(digest), bytes));
    },
  };
}

/** The digest of data without functions and of large lists of numbers, by what computes with them: another release, or edited sources, is another. */
export function digestOf(parts: unknown, numbers: Iterable<ArrayBufferView>): string {
  // Not `serialize`: equal numbers have several forms there.
  const hash = createHash('sha256').update(JSON.stringify([version(), sourceStamp(), parts], canonical));
  for (const list of numbers) hash.update(`${list.constructor.name} ${list.byteLength}\n`).update(bytesOf(list));
  return hash.digest('hex');
}

/** What JSON has no form for, as JSON. */
function canonical(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return { bigint: String(value) };
  if (typeof value === 'number' && !Number.isFinite(value)) return { number: String(value) };
  if (value instanceof Map || value instanceof Set) return { [value.constructor.name]: [...value] };
  if (ArrayBuffer.isView(value)) return { [value.constructor.name]: Buffer.from(bytesOf(value)).toString('base64') };
  return value;
}

const bytesOf = (list: ArrayBufferView): Uint8Array => new Uint8Array(list.buffer, list.byteOffset, list.byteLength);

/** Of a checkout, whose sources may be edited: their sizes and times. */
function sourceStamp(): string {
  if (!import.meta.url.endsWith('.ts')) return '';
  const folders = ['grammar', 'compiler', 'models', 'runtime', 'stdlib'];
  return folders
    .flatMap((folder) => filesBelow(join(PACKAGE_ROOT, folder), ''))
    .map((path) => {
      const { size, mtimeMs } = statSync(path);
      return `${path} ${size} ${mtimeMs}`;
    })
    .join('\n');
}
