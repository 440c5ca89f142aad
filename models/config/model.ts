/**
 * `config.json` of the decoder families that can be imported. A field that changes what a model computes is either
 * understood here or refused by name; so is one that is not known: never skipped.
 */
import { Fields, show, UNSUPPORTED } from './fields.ts';
import { FormatError, quote } from '../files/errors.ts';
import type { JsonObject } from '../files/json.ts';
import { rotaryBase } from './rotary.ts';
import { attentionWindow } from './window.ts';

/** A function between the two projections of a feed-forward layer, by its table in the standard library. */
export type Activation = 'silu' | 'gelu' | 'gelu_erf' | 'relu';

interface Decoder {
  readonly architecture: string;
  readonly vocabulary: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Width of a head. */
  readonly head: number;
  /** Width inside the feed-forward layer. */
  readonly inner: number;
  readonly positions: number;
  readonly eps: number;
  readonly activation: Activation;
  /** The head is the embedding. */
  readonly tied: boolean;
}

export interface LlamaConfig extends Decoder {
  readonly family: 'llama';
  /** Heads of keys and values. */
  readonly groups: number;
  /** Base of the rotary angles. */
  readonly theta: number;
  /** How many tokens attention sees at most, the present one included; undefined where no layer has a window. */
  readonly window: number | undefined;
  /** Projections with a bias. */
  readonly biased: { readonly input: boolean; readonly output: boolean; readonly mlp: boolean };
}

export interface Gpt2Config extends Decoder {
  readonly family: 'gpt2';
}

export type ModelConfig = LlamaConfig | Gpt2Config;

const KNOWN: Readonly<Record<string, (fields: Fields, architecture: string) => ModelConfig>> = {
  LlamaForCausalLM: llama,
  MistralForCausalLM: llama,
  Qwen2ForCausalLM: llama,
  GPT2LMHeadModel: gpt2,
};

/** What stands between well-known architectures and this program. */
const MISSING: Readonly<Record<string, string>> = {
  GemmaForCausalLM: 'norms with gain 1 + w, embeddings times sqrt(D)',
  Gemma2ForCausalLM: 'norms with gain 1 + w, soft-capped scores, sliding windows',
  Gemma3ForCausalLM: 'norms with gain 1 + w, norms of queries and keys, sliding windows',
  Qwen3ForCausalLM: 'norms of queries and keys',
  Qwen3MoeForCausalLM: 'routing to experts',
  MixtralForCausalLM: 'routing to experts',
  PhiForCausalLM: 'attention beside the feed-forward layer, rotation of a part of each head',
  Phi3ForCausalLM: 'fused projections',
  GPTNeoXForCausalLM: 'attention beside the feed-forward layer, rotation of a part of each head',
  GPTNeoForCausalLM: 'local attention',
  GPTJForCausalLM: 'attention beside the feed-forward layer',
  GPTBigCodeForCausalLM: 'projections fused for a single head of keys',
  BloomForCausalLM: 'attention with linear biases',
  FalconForCausalLM: 'attention beside the feed-forward layer',
  OPTForCausalLM: 'positions that count from 2',
  StableLmForCausalLM: 'rotation of a part of each head',
  CohereForCausalLM: 'attention beside the feed-forward layer, scaled logits',
  GraniteForCausalLM: 'scaled embeddings, residuals and logits',
  Olmo2ForCausalLM: 'norms after the layers, norms of queries and keys',
  GPT2ForSequenceClassification: 'a head for classes',
  LlamaForSequenceClassification: 'a head for classes',
};

/**
 * @param file its name in messages
 * @throws FormatError for an architecture that is not known, and for fields that would change what is computed
 */
export function readModelConfig(config: JsonObject, file: string): ModelConfig {
  const { architectures } = config;
  const names: unknown[] = Array.isArray(architectures) ? architectures : [];
  if (names.length !== 1 || typeof names[0] !== 'string')
    throw new FormatError(
      file,
      '"architectures" does not name one architecture',
      `known are ${Object.keys(KNOWN).join(', ')}`,
    );
  const [name] = names;
  const read = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
  if (read === undefined) {
    const missing = Object.hasOwn(MISSING, name) ? `; it would need ${MISSING[name]}` : '';
    throw new FormatError(
      file,
      `the architecture ${quote(name)} cannot be imported${missing}`,
      `known are ${Object.keys(KNOWN).join(', ')}; others can be written by hand from the blocks of "std"`,
    );
  }
  const fields = new Fields(file, config);
  for (const refused of ['quantization_config', 'auto_map'])
    if (fields.any(refused) !== undefined)
      fields.fail(refused, 'is set: the weights are not those of the plain architecture', UNSUPPORTED);
  const model = read(fields, name);
  fields.refuseOthers();
  return model;
}

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu_erf',
  gelu_new: 'gelu',
  gelu_fast: 'gelu',
  gelu_pytorch_tanh: 'gelu',
  relu: 'relu',
};

function activation(fields: Fields, name: string, fallback: string): Activation {
  const value = fields.any(name) ?? fallback;
  if (typeof value === 'string' && Object.hasOwn(ACTIVATIONS, value)) return ACTIVATIONS[value];
  return fields.fail(name, `is ${show(value)}`, `known are ${Object.keys(ACTIVATIONS).join(', ')}`);
}

function llama(fields: Fields, architecture: string): LlamaConfig {
  const [width, heads] = [fields.length('hidden_size'), fields.length('num_attention_heads')];
  const head = fields.length('head_dim', width / heads);
  const groups = fields.length('num_key_value_heads', heads);
  if (heads % groups !== 0)
    fields.fail('num_key_value_heads', `is ${groups}, which does not divide the ${heads} heads of queries`);
  if (head % 2 !== 0) fields.fail('head_dim', `is ${head}: rotary positions turn pairs`);
  fields.only('partial_rotary_factor', 1, 'only a part of each head is rotated');
  const qwen = architecture === 'Qwen2ForCausalLM';
  const bias = fields.flag('attention_bias', false);
  const layers = fields.length('num_hidden_layers');
  const positions = fields.length('max_position_embeddings', 2048);
  return {
    family: 'llama',
    architecture,
    vocabulary: fields.length('vocab_size'),
    width,
    layers,
    heads,
    groups,
    head,
    inner: fields.length('intermediate_size'),
    positions,
    window: attentionWindow(fields, architecture, layers),
    eps: fields.positive('rms_norm_eps', 1e-6),
    theta: rotaryBase(fields, positions),
    activation: activation(fields, 'hidden_act', 'silu'),
    tied: fields.flag('tie_word_embeddings', false),
    biased: { input: bias || qwen, output: bias, mlp: fields.flag('mlp_bias', false) },
  };
}

function gpt2(fields: Fields, architecture: string): Gpt2Config {
  const [width, heads] = [fields.length('n_embd'), fields.length('n_head')];
  if (width % heads !== 0) fields.fail('n_head', `is ${heads}, which does not divide the width ${width}`);
  fields.only('scale_attn_weights', true, 'scores are not divided by the root of the width of a head');
  fields.only('scale_attn_by_inverse_layer_idx', false, 'scores are divided by the number of the layer');
  fields.only('add_cross_attention', false, 'layers also attend to an encoder');
  return {
    family: 'gpt2',
    architecture,
    vocabulary: fields.length('vocab_size'),
    width,
    layers: fields.length('n_layer'),
    heads,
    head: width / heads,
    inner: fields.length('n_inner', 4 * width),
    positions: fields.length('n_positions'),
    eps: fields.positive('layer_norm_epsilon', 1e-5),
    activation: activation(fields, 'activation_function', 'gelu_new'),
    tied: fields.flag('tie_word_embeddings', true),
  };
}
