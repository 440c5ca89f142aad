/** Reading weights: a PEFT adapter's directory, or any safetensors file. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommittedSource } from '../compiler/gadget/program.ts';
import { loadAdapter, type AdapterWeights, type LoadedAdapter } from '../runtime/formats/peft.ts';
import { readSafetensors } from '../runtime/formats/safetensors.ts';
import { didYouMean } from './arguments.ts';
import { CliError, systemFailure } from './errors.ts';
import { readText, withSource } from './files.ts';

const configName = 'adapter_config.json';
const tensorsName = 'adapter_model.safetensors';

/** The tensors of a source, by their names in the program. @throws CliError, FormatError */
export async function readWeights(path: string, source: CommittedSource): Promise<AdapterWeights> {
  const names = source.tensors.map((t) => t.name);
  if (await isDirectory(path)) return withAdapter(path, (adapter) => adapter.weights(names));
  return withSource(path, 'the weights', async (bytes) => {
    const file = await readSafetensors(bytes);
    const out = new Map<string, { shape: readonly number[]; values: Float64Array }>();
    for (const name of names) {
      const info = file.tensors.get(name);
      if (!info) {
        const remedy = didYouMean(name, [...file.tensors.keys()]) ?? 'give the file the program was written for';
        throw new CliError(
          `${path}: there is no tensor "${name}", which the program takes from "${source.name}"`,
          remedy,
        );
      }
      out.set(name, { shape: info.shape, values: await file.readFloats(name) });
    }
    return out;
  });
}

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
