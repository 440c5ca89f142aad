/** Tensors that people give: safetensors or JSON, or made up from a seed. */
import type { Bundle } from '../../../compiler/bundle/bundle.ts';
import {
  inputsFromJson,
  inputsFromSafetensors,
  randomInputs,
  type Inputs,
  type WantedInput,
} from '../../../models/files/inputs.ts';
import { isObject, parseJson } from '../../../models/files/json.ts';
import { readSafetensors } from '../../../models/files/safetensors.ts';
import { didYouMean } from '../../host/suggest.ts';
import { CliError } from '../errors.ts';
import { textOf, withSource } from '../../host/files/read.ts';
import { MAX_TEXT } from '../../host/limits.ts';
import { bytes } from '../show/text.ts';

/** What a proof is given: the public inputs, and those that neither stand in the statement nor come from a source. */
export const programInputs = (bundle: Bundle): WantedInput[] => [
  ...publicTensors(bundle).filter((t) => t.kind === 'input'),
  ...secretInputs(bundle),
];

/** `--inputs`: a file, or `random:SEED`. @throws CliError, FormatError */
export async function readInputs(given: string, bundle: Bundle): Promise<Inputs> {
  const wanted = programInputs(bundle);
  const seed = /^random:(.*)$/s.exec(given)?.[1];
  if (seed === '') throw new CliError('random: needs a seed', 'write for example random:1');
  if (seed !== undefined) return randomInputs(seed, wanted);
  return readFile(given, 'the inputs', () => wanted);
}

export interface TensorFile {
  readonly path: string;
  readonly tensors: Inputs;
}

/** Those public tensors of the program, inputs or outputs, that a file has. @throws CliError, FormatError */
export async function readTensors(path: string, what: string, bundle: Bundle): Promise<TensorFile> {
  const publics = publicTensors(bundle);
  const tensors = await readFile(path, what, (names) => {
    const known = publics.map((t) => t.name);
    const unknown = names.find((name) => !known.includes(name));
    if (unknown !== undefined)
      throw new CliError(
        `${path}: the program has no public tensor "${unknown}"`,
        didYouMean(unknown, known) ?? `it has ${known.join(', ')}`,
      );
    if (names.length === 0) throw new CliError(`${path} holds no tensors`, `give some of ${known.join(', ')}`);
    return publics.filter((t) => names.includes(t.name));
  });
  return { path, tensors };
}

function publicTensors({ gadgets }: Bundle): (WantedInput & { readonly kind: 'input' | 'output' })[] {
  return gadgets.publics.map((id) => {
    const { name, shape, type, class: c } = gadgets.tensors[id];
    // Outputs have no type; that of their numbers in a file plays no part.
    return {
      name,
      shape,
      type: type ?? { kind: 'fixed', bits: 64, frac: 0 },
      kind: c.kind === 'input' ? 'input' : 'output',
    };
  });
}

/** Inputs that neither stand in the statement nor come from a source. */
const secretInputs = ({ gadgets }: Bundle): WantedInput[] =>
  gadgets.secrets.map((id) => {
    const { name, shape, type } = gadgets.tensors[id];
    if (!type) throw new Error(`internal error: the input ${name} has no type`);
    return { name, shape, type };
  });

type Choose = (names: readonly string[]) => readonly WantedInput[];

async function readFile(path: string, what: string, choose: Choose): Promise<Inputs> {
  return withSource(path, what, async (source) => {
    if (await isJson(path, source.read)) {
      if (source.size > MAX_TEXT)
        throw new CliError(
          `${path} is too large for JSON: ${bytes(source.size)}, at most ${bytes(MAX_TEXT)} are read`,
          'give the tensors as safetensors',
        );
      const text = textOf(await source.read(0, source.size), path, what);
      const object = parseJson(path, 'the file', text, 'write { "x": nested arrays of numbers }');
      return inputsFromJson(text, path, choose(isObject(object) ? Object.keys(object) : []));
    }
    const { tensors } = await readSafetensors(source);
    return inputsFromSafetensors(source, choose([...tensors.keys()]));
  });
}

/** By the name, or else by the header of safetensors, which is an object after eight bytes of length. */
async function isJson(path: string, read: (offset: number, length: number) => Promise<Uint8Array>): Promise<boolean> {
  if (/\.json$/i.test(path)) return true;
  if (/\.safetensors$/i.test(path)) return false;
  return (await read(8, 1))[0] !== '{'.charCodeAt(0);
}
