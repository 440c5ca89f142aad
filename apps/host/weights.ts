/** Reading weights: a model's or a PEFT adapter's directory, or any safetensors file. */
import { existsSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { CommittedSource } from '../../compiler/ir/gadget/program.ts';
import { openAdapter } from '../../models/adapters/folder.ts';
import { openCheckpoint, type Checkpoint } from '../../models/files/checkpoint.ts';
import type { Folder } from '../../models/files/folder.ts';
import type { AdapterWeights, LoadedAdapter } from '../../models/adapters/peft.ts';
import { readSafetensors } from '../../models/files/safetensors.ts';
import { didYouMean } from './suggest.ts';
import { HostError, systemFailure } from './errors.ts';
import { openSource, withSource } from './files.ts';
import { STREAM } from './outputs.ts';
import { formatShape } from '../../models/files/errors.ts';
import { foldersBelow } from './walk.ts';

const adapterFile = 'adapter_config.json';
const modelFile = 'config.json';

type WeightsByName = Map<string, { readonly shape: readonly number[]; readonly values: Float64Array }>;

/** The tensors of a source, by their names in the program. @throws HostError, FormatError */
export async function readWeights(path: string, source: CommittedSource): Promise<AdapterWeights> {
  const out: WeightsByName = new Map();
  const wanted = new Map(source.tensors.map((t) => [t.name, t.axes.map((a) => a.length)] as const));
  const check = (name: string, found: readonly number[]): void => {
    const own = wanted.get(name) ?? [];
    if (found.join() !== own.join())
      throw new HostError(
        `${path}: "${name}" has the shape ${formatShape(found)}, the program declares ${formatShape(own)}`,
        'give the weights the program was written for, or change its dimensions and compile again',
        { kind: 'tensor', path, tensor: name },
      );
  };
  await eachWeight(
    path,
    source.name,
    [...wanted.keys()],
    (name, found, values) => {
      out.set(name, { shape: found, values });
    },
    check,
  );
  return out;
}

/**
 * Reads tensors one by one, so that no more than one has to be in memory.
 *
 * @param check is asked about a tensor's shape before it is read
 * @throws HostError, FormatError
 */
export async function eachWeight(
  path: string,
  source: string,
  names: readonly string[],
  take: (name: string, shape: readonly number[], values: Float64Array) => void,
  check: (name: string, shape: readonly number[]) => void = () => undefined,
): Promise<void> {
  if (await isModel(path)) {
    return withModel(path, async (model) => {
      for (const name of names) {
        const shape = model.tensors.get(model.storedName(name) ?? '')?.shape ?? [];
        check(name, shape);
        take(name, shape, await model.readFloats(name));
      }
    });
  }
  if (await isDirectory(path)) {
    return withAdapter(path, async (adapter) => {
      const { modules, leftOut } = adapter.description;
      for (const t of [...leftOut, ...modules.flatMap(({ a, b }) => [a, b])])
        if (names.includes(t.name)) check(t.name, t.shape);
      for (const [name, { shape, values }] of await adapter.weights(names)) take(name, shape, values);
    });
  }
  await checkEnds(path);
  return withSource(path, 'the weights', async (bytes) => {
    const file = await readSafetensors(bytes);
    for (const name of names) {
      const info = file.tensors.get(name);
      if (!info) {
        const remedy = didYouMean(name, [...file.tensors.keys()]) ?? 'give the file the program was written for';
        throw new HostError(`${path}: there is no tensor "${name}", which the program takes from "${source}"`, remedy, {
          kind: 'tensor',
          path,
          tensor: name,
        });
      }
      check(name, info.shape);
      take(name, info.shape, await file.readFloats(name));
    }
  });
}

/**
 * Nobody may ever write to a pipe that has a name. Those that a shell hands over are another matter, and `-` is.
 * @throws HostError
 */
async function checkEnds(path: string): Promise<void> {
  if (path === STREAM) return;
  const status = await stat(path);
  if (status.isFile() || (status.isFIFO() && /^\/(dev|proc)\//.test(resolve(path)))) return;
  throw new HostError(
    `cannot read the weights ${path}: it is ${status.isFIFO() ? 'a named pipe' : 'a device'}, and may never end`,
    `give a file, or read it as stdin: --weights - < ${path}`,
    { kind: 'place', path },
  );
}

/** Opens a model's directory. The model can be read until `body` ends. */
export async function withModel<T>(directory: string, body: (model: Checkpoint) => Promise<T>): Promise<T> {
  await using files = new AsyncDisposableStack();
  return await body(await openCheckpoint(folderOf(directory, "the model's files", files)));
}

/** Opens a PEFT adapter's directory. The adapter can be read until `body` ends. */
export async function withAdapter<T>(directory: string, body: (adapter: LoadedAdapter) => Promise<T>): Promise<T> {
  if (!(await isDirectory(directory)))
    throw new HostError(`${directory} is no directory`, `give the directory that holds ${adapterFile}`, {
      kind: 'place',
      path: directory,
    });
  if (await isModel(directory))
    throw new HostError(
      `${directory} is the directory of a model, not of an adapter: it has ${modelFile}, and no ${adapterFile}`,
      `give the directory that holds ${adapterFile}`,
      { kind: 'place', path: directory },
    );
  await using files = new AsyncDisposableStack();
  return await body(await openAdapter(folderOf(directory, "the adapter's files", files)));
}

/**
 * Whether a path is the directory of a model, not of an adapter.
 * @throws HostError for a directory of neither, naming those below it
 */
export async function isModel(path: string): Promise<boolean> {
  if (!(await isDirectory(path)) || existsSync(join(path, adapterFile))) return false;
  if (existsSync(join(path, modelFile))) return true;
  const below = foldersBelow(
    path,
    (folder) => existsSync(join(folder, adapterFile)) || existsSync(join(folder, modelFile)),
  );
  throw new HostError(
    `${path} is the directory of no adapter and of no model: there is neither ${adapterFile} nor ${modelFile}`,
    below.length === 0
      ? `give a directory that PEFT or transformers wrote with \`save_pretrained\``
      : `there ${below.length === 1 ? 'is one' : 'are some'} below: give ${oneOf(below.map((name) => join(path, name)))}`,
    { kind: 'place', path },
  );
}

const oneOf = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')}, or another` : names.join(' or ');

/** A directory as the formats read it; its files are open until `files` is disposed of. */
const folderOf = (directory: string, what: string, files: AsyncDisposableStack): Folder => ({
  name: directory,
  open: async (file) => {
    const path = join(directory, file);
    const status = statSync(path, { throwIfNoEntry: false });
    if (status === undefined) return undefined;
    // A device or a pipe in a folder from a stranger may never end.
    if (!status.isFile())
      throw new HostError(`${path} is no regular file`, 'give a directory of files', { kind: 'place', path });
    const opened = await openSource(path, what);
    files.defer(opened.close);
    return opened.source;
  },
  files: async () => (await readdir(directory)).sort(),
});

async function isDirectory(path: string): Promise<boolean> {
  if (path === STREAM) return false;
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw systemFailure(error, 'read the weights', path);
  }
}
