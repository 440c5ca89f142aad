/**
 * A model as Hugging Face saves it: `config.json` and `model.safetensors`, or several files that
 * `model.safetensors.index.json` lists (huggingface/transformers, `modeling_utils.py`).
 */
import { requireFolder } from './arguments.ts';
import { FormatError, formatShape, quote, quoteSome } from './errors.ts';
import { readFolderObject, type Folder } from './folder.ts';
import type { JsonObject } from './json.ts';
import type { TensorInfo } from './safetensors.ts';
import { openTensors } from './shards.ts';
import type { Weights } from '../../runtime/weights.ts';

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
  /** The largest magnitude in a tensor by its name in programs. @throws FormatError if there is none, or an entry is not finite */
  largest(name: string): Promise<number>;
  /** The model as `commit`, `createProver`, `calibrate` and `compare` take weights, by their names in programs: read tensor by tensor. */
  readonly reader: Weights;
}

const SAVE = 'save the model with `save_pretrained(DIR, safe_serialization=True)`';

const TENSORS = {
  stem: 'model',
  pickled: ['pytorch_model.bin', 'pytorch_model.bin.index.json'],
  others:
    /^(?:pytorch_model(?:_fsdp)?|model|consolidated|tf_model|flax_model)\b.*\.(?:bin|bin\.index\.json|pt|pth|ckpt|npz|h5|msgpack)$|\.gguf$/,
  save: SAVE,
};

/** The module that holds everything but the head, by which heads are left out of names. */
const BODIES = ['model', 'transformer', 'gpt_neox'];

/** @throws FormatError naming the file and what is wrong with it */
export async function openCheckpoint(folder: Folder): Promise<Checkpoint> {
  requireFolder('folder', folder);
  const configFile = `${folder.name}/config.json`;
  const config = await readFolderObject(folder, 'config.json');
  if (config === undefined)
    throw new FormatError(folder.name, 'there is no config.json', `give the directory of a model; ${SAVE}`);
  const file = await openTensors(folder, TENSORS);
  const { tensors } = file;
  const storedName = (name: string): string | undefined => {
    const shorter = BODIES.filter((body) => name.startsWith(`${body}.`)).map((body) => name.slice(body.length + 1));
    return [name, ...shorter].find((candidate) => tensors.has(candidate));
  };
  const found = (name: string): string => {
    const stored = storedName(name);
    if (stored !== undefined) return stored;
    throw new FormatError(
      folder.name,
      `the model has no tensor ${quote(name)}`,
      `is it the model that the program was written for? It has ${quoteSome(tensors.keys(), 3)}`,
    );
  };
  const readFloats = async (name: string): Promise<Float64Array> => file.readFloats(found(name));
  return {
    name: folder.name,
    config,
    configFile,
    tensors,
    storedName,
    readFloats,
    largest: async (name) => file.largest(found(name)),
    reader: {
      names: () => tensors.keys(),
      shape: (name) => tensors.get(storedName(name) ?? name)?.shape,
      read: readFloats,
    },
  };
}

const shapeOf = (checkpoint: Checkpoint, name: string): readonly number[] | undefined =>
  checkpoint.tensors.get(checkpoint.storedName(name) ?? '')?.shape;

export const hasTensor = (checkpoint: Checkpoint, name: string, shape: readonly number[]): boolean =>
  shapeOf(checkpoint, name)?.join() === shape.join();

/** @throws FormatError if the checkpoint lacks the tensor or has it in another shape */
export function requireTensor(checkpoint: Checkpoint, name: string, shape: readonly number[]): void {
  const found = shapeOf(checkpoint, name);
  if (found === undefined)
    throw new FormatError(
      checkpoint.name,
      `the tensor ${quote(name)} of shape ${formatShape(shape)} is missing`,
      `${checkpoint.configFile} says that the model has it: are both of one model?`,
    );
  if (found.join() === shape.join()) return;
  throw new FormatError(
    checkpoint.name,
    `the tensor ${quote(name)} has the shape ${formatShape(found)}, ${checkpoint.configFile} makes it ${formatShape(shape)}`,
    'are both of one model?',
  );
}
