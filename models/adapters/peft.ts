/**
 * LoRA adapters as PEFT saves them: `adapter_config.json` and `adapter_model.safetensors` with, for each adapted module,
 * `base_model.model.MODULE.lora_A.weight` of shape [rank, in] and `...lora_B.weight` of shape [out, rank]. The module then
 * adds scaling · x Aᵀ Bᵀ to its output (Hu et al. 2021, arXiv:2106.09685).
 */
import { divide, equals, integerSqrt, parseDecimal, rational } from '../../compiler/ir/numbers/rational.ts';
import type { Rational } from '../../compiler/ir/tensor/program.ts';
import { FormatError, formatShape, quote, quoteSome } from '../files/errors.ts';
import { matchPattern, readLoraConfig, type LoraConfig } from './config.ts';
import { naturally } from './order.ts';
import { readSafetensors, type SafetensorsFile, type TensorInfo } from '../files/safetensors.ts';
import type { ByteSource } from '../files/source.ts';
import type { Weights } from '../../runtime/weights.ts';

/** A tensor of an adapter. Plain data, also where indices are asked for. */
export type AdapterTensor = {
  /** As in programs: without PEFT's prefix and the adapter's name. */
  readonly name: string;
  /** As in the file. */
  readonly stored: string;
  readonly shape: readonly number[];
};

/** A matrix of a module. */
export interface LoraTensor extends AdapterTensor {
  readonly shape: readonly [number, number];
}

/** A tensor that is no part of a LoRA module. */
export type LeftOut = AdapterTensor & { readonly reason: string };

export interface LoraModule {
  /** Where the module stands in the base model: `transformer.h.0.attn.c_attn`. */
  readonly path: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly rank: number;
  readonly alpha: number;
  readonly rslora: boolean;
  /** alpha / rank, or alpha / sqrt(rank): exact, or undefined where the root is irrational. */
  readonly scaling: Rational | undefined;
  /** [rank, inputs] */
  readonly a: LoraTensor;
  /** [outputs, rank] */
  readonly b: LoraTensor;
}

export interface AdapterDescription {
  readonly config: LoraConfig;
  /** In the order of their names, numbers in them as numbers. */
  readonly modules: readonly LoraModule[];
  readonly leftOut: readonly LeftOut[];
}

/** Weights in memory, by the names that programs use: a `WeightMap`. */
export type AdapterWeights = ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float64Array }>;

export interface LoadedAdapter {
  readonly description: AdapterDescription;
  /** Of the tensors' file. */
  readonly fileName: string;
  /** The LoRA matrices and what was left out, by the names that programs use: read tensor by tensor. */
  readonly reader: Weights;
  /** All LoRA matrices, or just the tensors that are named, left out ones too. @throws FormatError for other names */
  weights(names?: Iterable<string>): Promise<AdapterWeights>;
  /** The largest magnitude in every LoRA matrix, by its name in programs. @throws FormatError for NaN and infinities */
  maxAbs(): Promise<ReadonlyMap<string, number>>;
}

/**
 * @param tensors names and shapes as the file has them
 * @param file the tensors' file in messages
 * @throws FormatError if the adapter is not plain LoRA, or its tensors do not fit together
 */
export function describeAdapter(
  configText: string,
  tensors: ReadonlyMap<string, Pick<TensorInfo, 'shape'>>,
  file = 'adapter_model.safetensors',
  configFile?: string,
): AdapterDescription {
  const config = readLoraConfig(configText, configFile);
  const pairs = new Map<string, Partial<Record<'A' | 'B', LoraTensor>>>();
  const leftOut: LeftOut[] = [];
  for (const [stored, { shape }] of tensors) {
    refuseTensor(file, stored);
    const match = SAVED.test(stored) ? null : LORA.exec(stored);
    if (!match) {
      leftOut.push(leaveOut(config, stored, shape));
      continue;
    }
    const [, path, side] = match as unknown as [string, string, 'A' | 'B'];
    const pair = pairs.get(path) ?? {};
    const before = pair[side];
    if (before)
      throw new FormatError(
        file,
        `${quote(before.stored)} and ${quote(stored)} are the same matrix of two adapters`,
        'save one adapter to a file',
      );
    pair[side] = { name: `${path}.lora_${side}.weight`, stored, shape: matrix(file, stored, shape) };
    pairs.set(path, pair);
  }
  if (pairs.size === 0)
    throw new FormatError(
      file,
      `no tensor is called "….lora_A.weight"; it has ${quoteSome(tensors.keys(), 3)}`,
      'save the adapter with the `save_pretrained` of PEFT',
    );
  const modules = [...pairs].map(([path, { A, B }]) => moduleOf(file, config, path, A, B));
  return { config, modules: modules.sort((x, y) => naturally(x.path, y.path)), leftOut };
}

/** @param config the text of `adapter_config.json` */
export const loadAdapter = async (config: string, source: ByteSource, configFile?: string): Promise<LoadedAdapter> =>
  adapterOf(config, await readSafetensors(source), configFile);

/** @param config the text of `adapter_config.json` */
export function adapterOf(config: string, file: SafetensorsFile, configFile?: string): LoadedAdapter {
  const description = describeAdapter(config, file.tensors, file.name, configFile);
  const matrices = description.modules.flatMap(({ a, b }) => [a, b]);
  const all = new Map<string, AdapterTensor>([...description.leftOut, ...matrices].map((t) => [t.name, t]));

  const read = async (name: string): Promise<Float64Array> => {
    const tensor = all.get(name);
    if (tensor) return file.readFloats(tensor.stored);
    const known = [...matrices, ...description.leftOut].map((t) => t.name);
    throw new FormatError(file.name, `the adapter has no tensor ${quote(name)}`, `it has ${quoteSome(known, 3)}`);
  };
  const reader: Weights = { names: () => all.keys(), shape: (name) => all.get(name)?.shape, read };

  const weights = async (names: Iterable<string> = matrices.map((t) => t.name)): Promise<AdapterWeights> => {
    const out = new Map<string, { shape: readonly number[]; values: Float64Array }>();
    for (const name of names) {
      const values = await read(name);
      out.set(name, { shape: reader.shape(name) ?? [], values });
    }
    return out;
  };

  const maxAbs = async (): Promise<ReadonlyMap<string, number>> => {
    const out = new Map<string, number>();
    for (const { name, stored } of matrices) out.set(name, await file.largest(stored));
    return out;
  };
  return { description, fileName: file.name, reader, weights, maxAbs };
}

/** Older versions of PEFT put the adapter's name before `weight`. */
const LORA = /^(?:base_model\.model\.)?(.+)\.lora_([AB])(?:\.[^.]+)?\.weight$/;

/** A module that was trained whole, by the name of PEFT's wrapper around it. */
const SAVED = /\.modules_to_save\./;

/** Parts of tensors' names that belong to other methods. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/\.lora_magnitude_vector\b/, 'a magnitude of DoRA'],
  [/\.lora_embedding_[AB]\b/, 'LoRA on an embedding, which selects columns of A and multiplies by nothing'],
  [/\.lora_[AB](?:\.[^.]+)?\.bias$/, 'a bias of LoRA'],
  [/\.lora_E\b/, 'a diagonal of AdaLoRA'],
  [/\.lora_diag\b/, 'a diagonal of KaSA'],
  [/\.lora_monteclora_sampler\b/, 'a sampler of MonteCLoRA'],
  [/(?:^|\.)(?:trainable_tokens|token_adapter)(?:_\w+)?(?:\.|$)/, 'rows of an embedding that were trained'],
  [/\.hada_w[12]_[ab]\b/, 'a factor of LoHa'],
  [/\.lokr_w[12]\b/, 'a factor of LoKr'],
  [/\.ia3_l\b/, 'a vector of IA3'],
  [/\.vera_(?:lambda_[bd]|[AB])\b/, 'a factor of VeRA'],
  [/\.(?:oft_r|boft_R|boft_s)\b/, 'a rotation of OFT'],
  [/^prompt_embeddings\b/, 'an embedded prompt'],
  [/\.lora_(?:down|up)\.weight$|\.lora\.(?:down|up)\.weight$/, 'LoRA in the layout of diffusers or kohya'],
];

function refuseTensor(file: string, stored: string): void {
  for (const [part, what] of FOREIGN)
    if (part.test(stored))
      throw new FormatError(
        file,
        `${quote(stored)} is ${what}, which is not read here`,
        'train or convert the adapter to plain LoRA of PEFT on linear layers',
      );
}

const PREFIX = 'base_model.model.';

function leaveOut({ modulesToSave }: LoraConfig, stored: string, shape: readonly number[]): LeftOut {
  const name = stored.startsWith(PREFIX) ? stored.slice(PREFIX.length) : stored;
  const saved = modulesToSave.find((module) => `.${name}.`.includes(`.${module}.`));
  const why =
    saved !== undefined
      ? `saved whole by modules_to_save (${quote(saved)})`
      : SAVED.test(name)
        ? 'saved whole by modules_to_save'
        : 'saved whole with the adapter, as heads of classifiers are';
  return { name, stored, shape, reason: `${why}, no LoRA matrix` };
}

function matrix(file: string, stored: string, shape: readonly number[]): readonly [number, number] {
  const [rows, columns] = shape;
  if (shape.length === 2 && rows > 0 && columns > 0) return [rows, columns];
  const why = shape.length === 4 ? ', as for a convolution' : '';
  throw new FormatError(
    file,
    `${quote(stored)} has the shape ${formatShape(shape)}${why}`,
    'a LoRA matrix of a linear layer has two axes, none of length 0',
  );
}

function moduleOf(file: string, config: LoraConfig, path: string, a?: LoraTensor, b?: LoraTensor): LoraModule {
  if (!a || !b) {
    const [has, lacks] = a ? ['A', 'B'] : ['B', 'A'];
    throw new FormatError(
      file,
      `the module ${quote(path)} has lora_${has} but no lora_${lacks}`,
      'save the adapter again with `save_pretrained`',
    );
  }
  const rank = matchPattern(config, 'rank_pattern', path) ?? config.rank;
  const alpha = matchPattern(config, 'alpha_pattern', path) ?? config.alpha;
  if (a.shape[0] !== rank)
    throw new FormatError(
      file,
      `${quote(a.stored)} has the shape ${formatShape(a.shape)}, its rank is ${rank} by ${config.file}`,
      'it has to be [rank, in]: is the configuration of this adapter?',
    );
  if (b.shape[1] !== rank)
    throw new FormatError(
      file,
      `${quote(b.stored)} has the shape ${formatShape(b.shape)}, its rank is ${rank} by ${config.file}`,
      'it has to be [out, rank]: is the configuration of this adapter?',
    );
  const { useRslora: rslora } = config;
  return {
    path,
    inputs: a.shape[1],
    outputs: b.shape[0],
    rank,
    alpha,
    rslora,
    scaling: scalingOf(alpha, rank, rslora),
    a,
    b,
  };
}

function scalingOf(alpha: number, rank: number, rslora: boolean): Rational | undefined {
  const top = decimal(alpha);
  if (!rslora) return divide(top, rational(rank));
  const root = rational(integerSqrt(BigInt(rank)));
  return equals(rational(root.num * root.num), rational(rank)) ? divide(top, root) : undefined;
}

/** A float by its shortest decimal, which is what the configuration says. */
function decimal(value: number): Rational {
  const parsed = parseDecimal(String(value));
  if (!parsed) throw new Error(`internal error: ${value} is no decimal`);
  return parsed;
}
