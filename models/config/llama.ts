/** Configurations of the families with root mean square norms and rotary positions: LLaMA and its kin, Phi-3, Gemma 3. */
import { activation, type Decoder } from './decoder.ts';
import { show, UNSUPPORTED, type Fields } from './fields.ts';
import { rotaryOf, type Rotary } from './rotary.ts';
import { attentionWindow, slidingLayers } from './window.ts';

interface Grouped extends Decoder {
  /** Heads of keys and values. */
  readonly groups: number;
  readonly rotary: Rotary;
}

export interface LlamaConfig extends Grouped {
  readonly family: 'llama';
  /** Projections with a bias. */
  readonly biased: { readonly input: boolean; readonly output: boolean; readonly mlp: boolean };
  /** Each head of queries and of keys has a norm. */
  readonly normed: boolean;
}

export interface Phi3Config extends Grouped {
  readonly family: 'phi3';
}

export interface Gemma3Config extends Grouped {
  readonly family: 'gemma3';
  readonly biased: boolean;
  /** Scores are divided by the root of this. */
  readonly scoreScale: number;
  /** Of layers with a window. */
  readonly localRotary: Rotary;
  /** For each layer whether it has a window. */
  readonly local: readonly boolean[];
}

/** What all of these say alike. */
function grouped(fields: Fields): Omit<Grouped, 'architecture' | 'window' | 'rotary' | 'activation' | 'tied'> {
  const [width, heads] = [fields.length('hidden_size'), fields.length('num_attention_heads')];
  const head = fields.length('head_dim', width / heads);
  const groups = fields.length('num_key_value_heads', heads);
  if (heads % groups > 0)
    fields.refuse('num_key_value_heads', `is ${groups}, which does not divide the ${heads} heads of queries`);
  return {
    vocabulary: fields.length('vocab_size'),
    width,
    layers: fields.length('num_hidden_layers'),
    heads,
    groups,
    head,
    inner: fields.length('intermediate_size'),
    positions: fields.length('max_position_embeddings', 2048),
    eps: fields.positive('rms_norm_eps', 1e-6),
  };
}

export function llama(fields: Fields, architecture: string): LlamaConfig {
  const shape = grouped(fields);
  fields.only('partial_rotary_factor', 1, 'only a part of each head is rotated');
  const bias = fields.flag('attention_bias', false);
  return {
    family: 'llama',
    architecture,
    ...shape,
    window: attentionWindow(fields, architecture, shape.layers),
    rotary: rotaryOf(fields, shape),
    activation: activation(fields, 'hidden_act', 'silu'),
    tied: fields.flag('tie_word_embeddings', false),
    biased: {
      input: bias || architecture === 'Qwen2ForCausalLM',
      output: bias,
      mlp: fields.flag('mlp_bias', false),
    },
    normed: architecture === 'Qwen3ForCausalLM',
  };
}

export function phi3(fields: Fields, architecture: string): Phi3Config {
  const shape = grouped(fields);
  const window = fields.any('sliding_window') === undefined ? undefined : fields.length('sliding_window');
  fields.only('attention_bias', false, 'projections have biases');
  return {
    family: 'phi3',
    architecture,
    ...shape,
    window,
    rotary: rotaryOf(fields, { ...shape, part: fields.share('partial_rotary_factor', 1) }),
    activation: activation(fields, 'hidden_act', 'silu'),
    tied: fields.flag('tie_word_embeddings', false),
  };
}

export function gemma3(fields: Fields, architecture: string): Gemma3Config {
  const shape = grouped(fields);
  for (const cap of ['attn_logit_softcapping', 'final_logit_softcapping'])
    if (fields.any(cap) !== undefined)
      fields.refuse(cap, `is ${show(fields.any(cap))}: scores are held below that by a tanh`, UNSUPPORTED);
  fields.only('use_bidirectional_attention', false, 'tokens also attend to those after them');
  const local = slidingLayers(fields, shape.layers);
  const window = fields.length('sliding_window', 4096);
  return {
    family: 'gemma3',
    architecture,
    ...shape,
    window: local.includes(true) ? window : undefined,
    rotary: rotaryOf(fields, { ...shape, base: 1e6, layerType: 'full_attention' }),
    localRotary: rotaryOf(fields, { ...shape, base: 10000, layerType: 'sliding_attention' }),
    local,
    activation: activation(fields, 'hidden_activation', 'gelu_pytorch_tanh'),
    tied: fields.flag('tie_word_embeddings', true),
    biased: fields.flag('attention_bias', false),
    scoreScale: fields.positive('query_pre_attn_scalar', 256),
  };
}
