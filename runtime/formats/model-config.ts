/**
 * `config.json` of the decoder families that can be imported. A field that changes what a model computes is either
 * understood here or refused by name; so is one that is not known: never skipped.
 */
import { FormatError, quote } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';

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

/** Fields without an effect on what is computed, besides names of files and of settings for generation. */
const HARMLESS = new Set(
  `_name_or_path _attn_implementation_autoset architectures model_type torch_dtype dtype transformers_version use_cache
  bos_token_id eos_token_id pad_token_id unk_token_id sep_token_id decoder_start_token_id initializer_range
  attention_dropout attn_pdrop embd_pdrop resid_pdrop hidden_dropout output_attentions output_hidden_states return_dict
  return_dict_in_generate gradient_checkpointing task_specific_params summary_activation summary_first_dropout
  summary_proj_to_labels summary_type summary_use_proj finetuning_task id2label label2id num_labels problem_type
  tokenizer_class prefix torchscript chunk_size_feed_forward max_length min_length do_sample early_stopping num_beams
  num_beam_groups diversity_penalty temperature top_k top_p typical_p repetition_penalty length_penalty
  no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids num_return_sequences output_scores
  forced_bos_token_id forced_eos_token_id remove_invalid_values exponential_decay_length_penalty suppress_tokens
  begin_suppress_tokens is_encoder_decoder is_decoder tf_legacy_loss use_bfloat16 n_ctx pretraining_tp
  reorder_and_upcast_attn max_window_layers`.split(/\s+/),
);

/** A value out of the file, cut to what fits in a message. */
const show = (value: unknown): string => JSON.stringify(value).slice(0, 100);

/** Reads fields by name and remembers which. */
class Fields {
  readonly file: string;
  readonly #config: JsonObject;
  readonly #read = new Set<string>();

  constructor(file: string, config: JsonObject) {
    this.file = file;
    this.#config = config;
  }

  /** What a field holds; undefined where it is missing or null. */
  any(name: string): unknown {
    this.#read.add(name);
    return this.#config[name] ?? undefined;
  }

  fail(name: string, problem: string, remedy = 'is it the configuration of this model?'): never {
    throw new FormatError(this.file, `${quote(name)} ${problem}`, remedy);
  }

  /** A whole number from 1. */
  length(name: string, fallback?: number): number {
    const value = this.any(name) ?? fallback;
    if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
    return this.fail(name, value === undefined ? 'is missing' : `is ${show(value)}, no whole number from 1`);
  }

  positive(name: string, fallback: number): number {
    const value = this.any(name) ?? fallback;
    if (typeof value === 'number' && value > 0 && value < Infinity) return value;
    return this.fail(name, `is ${show(value)}, no positive number`);
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.any(name) ?? fallback;
    return typeof value === 'boolean' ? value : this.fail(name, `is ${show(value)}, neither true nor false`);
  }

  /** A field that must not say anything else. */
  only(name: string, wanted: unknown, why: string): void {
    const value = this.any(name);
    if (value !== undefined && value !== wanted) this.fail(name, `is ${show(value)}: ${why}`, UNSUPPORTED);
  }

  /** Refuses the fields that nothing has read. Those that are false, null or empty say nothing. */
  refuseOthers(): void {
    for (const [name, value] of Object.entries(this.#config)) {
      if (this.#read.has(name) || HARMLESS.has(name)) continue;
      if (value === null || value === false || (typeof value === 'object' && Object.keys(value).length === 0)) continue;
      this.fail(
        name,
        `is ${show(value)}, and it is not known here what that changes`,
        'if it changes nothing of what the model computes, take it out of the configuration',
      );
    }
  }
}

const UNSUPPORTED = 'such models cannot be imported; write the program by hand from the blocks of "std"';

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
  for (const refused of ['quantization_config', 'auto_map']) {
    if (fields.any(refused) !== undefined)
      fields.fail(refused, 'is set: the weights are not those of the plain architecture', UNSUPPORTED);
  }
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
  refuseWindows(fields, architecture);
  fields.only('partial_rotary_factor', 1, 'only a part of each head is rotated');
  const qwen = architecture === 'Qwen2ForCausalLM';
  const bias = fields.flag('attention_bias', false);
  return {
    family: 'llama',
    architecture,
    vocabulary: fields.length('vocab_size'),
    width,
    layers: fields.length('num_hidden_layers'),
    heads,
    groups,
    head,
    inner: fields.length('intermediate_size'),
    positions: fields.length('max_position_embeddings', 2048),
    eps: fields.positive('rms_norm_eps', 1e-6),
    theta: rotaryBase(fields),
    activation: activation(fields, 'hidden_act', 'silu'),
    tied: fields.flag('tie_word_embeddings', false),
    biased: { input: bias || qwen, output: bias, mlp: fields.flag('mlp_bias', false) },
  };
}

function refuseWindows(fields: Fields, architecture: string): void {
  const window = fields.any('sliding_window');
  const used = fields.any('use_sliding_window') ?? architecture === 'MistralForCausalLM';
  if (window !== undefined && used !== false)
    fields.fail('sliding_window', `is ${show(window)}: attention is cut to a window`, UNSUPPORTED);
  const types = fields.any('layer_types');
  if (types !== undefined && !(Array.isArray(types) && types.every((t) => t === 'full_attention')))
    fields.fail('layer_types', `is ${show(types)}: not all layers have full attention`, UNSUPPORTED);
}

/** The base of the angles, where nothing scales them. */
function rotaryBase(fields: Fields): number {
  for (const name of ['rope_scaling', 'rope_parameters']) {
    const scaling = fields.any(name);
    if (scaling === undefined) continue;
    if (!isObject(scaling)) return fields.fail(name, 'is no object');
    const kind = scaling['rope_type'] ?? scaling['type'] ?? 'default';
    const others = Object.keys(scaling).filter((key) => !['rope_type', 'type', 'rope_theta'].includes(key));
    if (kind !== 'default' || others.length > 0)
      return fields.fail(name, `is ${show(scaling)}: the rotary angles are scaled`, UNSUPPORTED);
    const theta = scaling['rope_theta'];
    if (typeof theta === 'number' && theta > 0) {
      fields.only('rope_theta', theta, `${name} says ${theta}`);
      return theta;
    }
  }
  return fields.positive('rope_theta', 10000);
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
