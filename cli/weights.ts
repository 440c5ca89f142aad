/** Reading weights: a model's or a PEFT adapter's directory, or any safetensors file. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommittedSource } from '../compiler/gadget/program.ts';
import { openCheckpoint, type Checkpoint } from '../runtime/formats/checkpoint.ts';
import { loadAdapter, type AdapterWeights, type LoadedAdapter } from '../runtime/formats/peft.ts';
import { readSafetensors } from '../runtime/formats/safetensors.ts';
import type { ByteSource } from '../runtime/formats/source.ts';
import { didYouMean } from './arguments.ts';
import { CliError, systemFailure } from './errors.ts';
import { openSource, readText, withSource } from './files.ts';

const configName = 'adapter_config.json';
const tensorsName = 'adapter_model.safetensors';

type WeightsByName = Map<string, { readonly shape: readonly number[]; readonly values: Float64Array }>;

/** The tensors of a source, by their names in the program. @throws CliError, FormatError */
export async function readWeights(path: string, source: CommittedSource): Promise<AdapterWeights> {
  const out: WeightsByName = new Map();
  const names = source.tensors.map((t) => t.name);
  await eachWeight(path, source.name, names, (name, shape, values) => out.set(name, { shape, values }));
  return out;
}

/** Reads tensors one by one, so that no more than one has to be in memory. @throws CliError, FormatError */
export async function eachWeight(
  path: string,
  source: string,
  names: readonly string[],
  take: (name: string, shape: readonly number[], values: Float64Array) => void,
): Promise<void> {
  if (await isModel(path)) {
    return withModel(path, async (model) => {
      for (const name of names) {
        const shape = model.tensors.get(model.storedName(name) ?? '')?.shape ?? [];
        take(name, shape, await model.readFloats(name));
      }
    });
  }
  if (await isDirectory(path)) {
    return withAdapter(path, async (adapter) => {
      for (const [name, { shape, values }] of await adapter.weights(names)) take(name, shape, values);
    });
  }
  return withSource(path, 'the weights', async (bytes) => {
    const file = await readSafetensors(bytes);
    for (const name of names) {
      const info = file.tensors.get(name);
      if (!info) {
        const remedy = didYouMean(name, [...file.tensors.keys()]) ?? 'give the file the program was written for';
        throw new CliError(`${path}: there is no tensor "${name}", which the program takes from "${source}"`, remedy);
      }
      take(name, info.shape, await file.readFloats(name));
    }
  });
}

/** Opens a model's directory. The model can be read until `body` ends. */
export async function withModel<T>(directory: string, body: (model: Checkpoint) => Promise<T>): Promise<T> {
  await using files = new AsyncDisposableStack();
  const open = async (file: string): Promise<ByteSource | undefined> => {
    const path = join(directory, file);
    if (!existsSync(path)) return undefined;
    const opened = await openSource(path, "the model's files");
    files.defer(opened.close);
    return opened.source;
  };
  return await body(await openCheckpoint({ name: directory, open }));
}

/** Whether a path is the directory of a model, not of an adapter. */
export const isModel = async (path: string): Promise<boolean> =>
  (await isDirectory(path)) && !existsSync(join(path, configName)) && existsSync(join(path, 'config.json'));

/** Opens a PEFT adapter's directory. The adapter can be read until `body` ends. */
export async function withAdapter<T>(directory: string, body: (adapter: LoadedAdapter) => Promise<T>): Promise<T> {
  if (!(await isDirectory(directory)))
    throw new CliError(`${directory} is no directory`, `give the directory that holds ${configName}`);
  const configPath = join(directory, configName);
  const config = await readText(configPath, "the adapter's configuration");
  return withSource(join(directory, tensorsName), "the adapter's tensors", async (source) =>
    body(await loadAdapter(config, source, configPath)),
  );
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw systemFailure(error, 'read the weights', path);
  }
}
