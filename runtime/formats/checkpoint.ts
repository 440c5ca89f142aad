/**
 * A model as Hugging Face saves it: `config.json` and `model.safetensors`, or several files that
 * `model.safetensors.index.json` lists (huggingface/transformers, `modeling_utils.py`).
 */
import { FormatError, formatShape, quote, quoteSome } from './errors.ts';
import { decodeUtf8, isObject, parseJson, type JsonObject } from './json.ts';
import { readSafetensors, type SafetensorsFile, type TensorInfo } from './safetensors.ts';
import type { ByteSource } from './source.ts';

/** The files of a directory. */
export interface Folder {
  /** For messages. */
  readonly name: string;
  /** A file by its name, undefined if there is none. */
  open(file: string): Promise<ByteSource | undefined>;
}

export interface Checkpoint {
  /** Of the folder, for messages. */
  readonly name: string;
  readonly config: JsonObject;
  /** Of `config.json`, for messages. */
  readonly configFile: string;
  /** By the names in the files. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * The name in the files of what programs call `name`: they call tensors what the whole model with its head calls them,
   * a checkpoint may have been saved without the head, and then lacks the first part of the name.
   */
  storedName(name: string): string | undefined;
  /** The entries of a tensor by its name in programs, row-major. @throws FormatError if there is none */
  readFloats(name: string): Promise<Float64Array>;
}

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';
const SAVE = 'save the model with `save_pretrained(DIR, safe_serialization=True)`';

/** The module that holds everything but the head, by which heads are left out of names. */
const BODIES = ['model', 'transformer'];

/** @throws FormatError naming the file and what is wrong with it */
export async function openCheckpoint(folder: Folder): Promise<Checkpoint> {
  const configFile = `${folder.name}/config.json`;
  const config = await readObject(folder, 'config.json');
  if (config === undefined)
    throw new FormatError(folder.name, 'there is no config.json', `give the directory of a model; ${SAVE}`);
  const files = await openShards(folder);
  const tensors = new Map<string, TensorInfo>();
  const home = new Map<string, SafetensorsFile>();
  for (const file of files) {
    for (const [name, info] of file.tensors) {
      const before = home.get(name);
      if (before) throw new FormatError(file.name, `the tensor ${quote(name)} is also in ${before.name}`, SAVE);
      home.set(name, file);
      tensors.set(name, info);
    }
  }
  const storedName = (name: string): string | undefined => {
    const shorter = BODIES.filter((body) => name.startsWith(`${body}.`)).map((body) => name.slice(body.length + 1));
    return [name, ...shorter].find((candidate) => tensors.has(candidate));
  };
  return {
    name: folder.name,
    config,
    configFile,
    tensors,
    storedName,
    readFloats: async (name) => {
      const stored = storedName(name);
      const file = stored === undefined ? undefined : home.get(stored);
      if (stored === undefined || file === undefined)
        throw new FormatError(
          folder.name,
          `the model has no tensor ${quote(name)}`,
          `is it the model that the program was written for? It has ${quoteSome(tensors.keys(), 3)}`,
        );
      return file.readFloats(stored);
    },
  };
}

async function readObject(folder: Folder, file: string): Promise<JsonObject | undefined> {
  const source = await folder.open(file);
  if (source === undefined) return undefined;
  const text = decodeUtf8(source.name, 'the file', await source.read(0, source.size), 'download it again');
  const value = parseJson(source.name, 'the file', text, 'download it again');
  if (isObject(value)) return value;
  throw new FormatError(source.name, 'it is no JSON object', 'download it again');
}

async function openShards(folder: Folder): Promise<SafetensorsFile[]> {
  const single = await folder.open(SINGLE);
  if (single) return [await readSafetensors(single)];
  const index = await readObject(folder, INDEX);
  if (index === undefined) {
    const pickled = await folder.open('pytorch_model.bin');
    const problem = pickled
      ? 'its weights are a pickled pytorch_model.bin, which is not read here'
      : `there is no ${SINGLE}`;
    throw new FormatError(folder.name, problem, SAVE);
  }
  return readShards(folder, index);
}

async function readShards(folder: Folder, index: JsonObject): Promise<SafetensorsFile[]> {
  const indexFile = `${folder.name}/${INDEX}`;
  const { weight_map: map } = index;
  if (!isObject(map)) throw new FormatError(indexFile, 'it has no "weight_map"', SAVE);
  const shards = new Map<string, string[]>();
  for (const [name, file] of Object.entries(map)) {
    // A name, not a path: an index must not lead out of its folder.
    if (typeof file !== 'string' || !/^[\w][\w.-]*\.safetensors$/.test(file))
      throw new FormatError(
        indexFile,
        `the tensor ${quote(name)} is in ${quote(String(file))}, no safetensors file here`,
        SAVE,
      );
    shards.set(file, [...(shards.get(file) ?? []), name]);
  }
  const files: SafetensorsFile[] = [];
  for (const [name, tensors] of shards) {
    const source = await folder.open(name);
    if (!source) throw new FormatError(indexFile, `it names ${name}, which is not there`, 'download the missing file');
    const file = await readSafetensors(source);
    const missing = tensors.find((tensor) => !file.tensors.has(tensor));
    if (missing !== undefined)
      throw new FormatError(
        source.name,
        `the tensor ${quote(missing)} is missing, which ${INDEX} puts here`,
        'download it again',
      );
    const further = [...file.tensors.keys()].find((tensor) => !tensors.includes(tensor));
    if (further !== undefined)
      throw new FormatError(
        source.name,
        `the tensor ${quote(further)} is here, of which ${INDEX} knows nothing`,
        'download both again',
      );
    files.push(file);
  }
  return files;
}

/** @throws FormatError if the checkpoint lacks the tensor or has it in another shape */
export function requireTensor(checkpoint: Checkpoint, name: string, shape: readonly number[]): void {
  const stored = checkpoint.storedName(name);
  const found = stored === undefined ? undefined : checkpoint.tensors.get(stored)?.shape;
  if (found === undefined)
    throw new FormatError(
      checkpoint.name,
      `the tensor ${quote(name)} of shape ${formatShape(shape)} is missing`,
      `${checkpoint.configFile} says that the model has it: are both of one model?`,
    );
  if (found.length === shape.length && found.every((n, k) => n === shape[k])) return;
  throw new FormatError(
    checkpoint.name,
    `the tensor ${quote(name)} has the shape ${formatShape(found)}, ${checkpoint.configFile} makes it ${formatShape(shape)}`,
    'are both of one model?',
  );
}
