/** Reading weights: a model's or a PEFT adapter's directory, or any safetensors file. */
import { existsSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { CommittedSource } from '../../compiler/ir/gadget/program.ts';
import { openAdapter } from '../../models/adapters/folder.ts';
import { openCheckpoint, type Checkpoint } from '../../models/files/checkpoint.ts';
import type { Folder } from '../../models/files/folder.ts';
import type { LoadedAdapter } from '../../models/adapters/peft.ts';
import { readSafetensors } from '../../models/files/safetensors.ts';
import { didYouMean } from './suggest.ts';
import { HostError, systemFailure } from './errors.ts';
import { openSource } from './files/read.ts';
import type { Weights } from '../../runtime/weights.ts';
import { STREAM } from './outputs.ts';
import { formatShape } from '../../models/files/errors.ts';
import { foldersBelow } from './walk.ts';

const ADAPTER_FILE = 'adapter_config.json';
const MODEL_FILE = 'config.json';

/**
 * The weights at a path, read tensor by tensor until `files` is disposed of.
 *
 * @param source what the program calls them, for messages
 * @throws HostError, FormatError; reading what is not there does, too
 */
export async function openWeights(path: string, source: string, files: AsyncDisposableStack): Promise<Weights> {
  if (await isModel(path)) return (await openCheckpoint(folderOf(path, "the model's files", files))).reader;
  if (await isDirectory(path)) return (await openAdapter(folderOf(path, "the adapter's files", files))).reader;
  await checkEnds(path);
  const opened = await openSource(path, 'the weights');
  files.defer(opened.close);
  const { reader } = await readSafetensors(opened.source);
  return {
    ...reader,
    read: (name) => {
      if (reader.shape(name) !== undefined) return reader.read(name);
      const remedy = didYouMean(name, [...reader.names()]) ?? 'give the file the program was written for';
      throw new HostError(`${path}: there is no tensor "${name}", which the program takes from "${source}"`, remedy, {
        kind: 'tensor',
        path,
        tensor: name,
      });
    },
  };
}

/** The weights of a program's source, all of whose tensors are there, in their shapes. @throws HostError, FormatError */
export async function openSourceWeights(
  path: string,
  source: CommittedSource,
  files: AsyncDisposableStack,
): Promise<Weights> {
  const weights = await openWeights(path, source.name, files);
  for (const { name, axes } of source.tensors) {
    const [found, own] = [weights.shape(name), axes.map((a) => a.length)];
    // Whoever reads it says why it is not there.
    if (found === undefined) await weights.read(name);
    else if (found.join() !== own.join())
      throw new HostError(
        `${path}: "${name}" has the shape ${formatShape(found)}, the program declares ${formatShape(own)}`,
        'give the weights the program was written for, or change its dimensions and compile again',
        { kind: 'tensor', path, tensor: name },
      );
  }
  return weights;
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
    throw new HostError(`${directory} is no directory`, `give the directory that holds ${ADAPTER_FILE}`, {
      kind: 'place',
      path: directory,
    });
  if (await isModel(directory))
    throw new HostError(
      `${directory} is the directory of a model, not of an adapter: it has ${MODEL_FILE}, and no ${ADAPTER_FILE}`,
      `give the directory that holds ${ADAPTER_FILE}`,
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
  if (!(await isDirectory(path)) || existsSync(join(path, ADAPTER_FILE))) return false;
  if (existsSync(join(path, MODEL_FILE))) return true;
  const below = foldersBelow(
    path,
    (folder) => existsSync(join(folder, ADAPTER_FILE)) || existsSync(join(folder, MODEL_FILE)),
  );
  throw new HostError(
    `${path} is the directory of no adapter and of no model: there is neither ${ADAPTER_FILE} nor ${MODEL_FILE}`,
    below.length === 0
      ? `give a directory that PEFT or transformers wrote with \`save_pretrained\``
      : `there ${below.length === 1 ? 'is one' : 'are some'} below: give ${oneOf(below.map((name) => join(path, name)))}`,
    { kind: 'place', path },
  );
}

const oneOf = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')}, or another` : names.join(' or ');

/** A directory as the formats read it; its files are open until `files` is disposed of. */
export const folderOf = (directory: string, what: string, files: AsyncDisposableStack): Folder => ({
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
