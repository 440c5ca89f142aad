/** Configurations of the families with layer norms and biases: GPT-2, OPT, GPT-NeoX. */
import { activation, headWidth, type Decoder } from './decoder.ts';
import type { Fields } from './fields.ts';
import { rotaryOf, type Rotary } from './rotary.ts';

export interface Gpt2Config extends Decoder {
  readonly family: 'gpt2';
}

/** The pre-norm variant, whose embeddings have the width of the layers. */
export interface OptConfig extends Decoder {
  readonly family: 'opt';
  /** Projections have biases. */
  readonly biased: boolean;
}

export interface NeoxConfig extends Decoder {
  readonly family: 'gpt_neox';
  readonly rotary: Rotary;
  /** The feed-forward layer reads what attention reads, not its result. */
  readonly parallel: boolean;
  /** Projections of attention have biases. */
  readonly biased: boolean;
}

export function gpt2(fields: Fields, architecture: string): Gpt2Config {
  const [width, heads] = [fields.length('n_embd'), fields.length('n_head')];
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
    head: headWidth(fields, width, heads, 'n_head'),
    inner: fields.length('n_inner', 4 * width),
    positions: fields.length('n_positions'),
    window: undefined,
    eps: fields.positive('layer_norm_epsilon', 1e-5),
    activation: activation(fields, 'activation_function', 'gelu_new'),
    tied: fields.flag('tie_word_embeddings', true),
  };
}

export function opt(fields: Fields, architecture: string): OptConfig {
  const [width, heads] = [fields.length('hidden_size'), fields.length('num_attention_heads')];
  fields.only('do_layer_norm_before', true, 'norms stand after the layers, not before them');
  fields.only('word_embed_proj_dim', width, `embeddings are projected to the width ${width}`);
  fields.only('_remove_final_layer_norm', false, 'there is no norm before the head');
  fields.only('layer_norm_elementwise_affine', true, 'norms have no gain and no bias');
  return {
    family: 'opt',
    architecture,
    vocabulary: fields.length('vocab_size'),
    width,
    layers: fields.length('num_hidden_layers'),
    heads,
    head: headWidth(fields, width, heads, 'num_attention_heads'),
    inner: fields.length('ffn_dim'),
    positions: fields.length('max_position_embeddings', 2048),
    window: undefined,
    // No field says it: it is the one of torch.nn.LayerNorm.
    eps: 1e-5,
    activation: activation(fields, 'activation_function', 'relu'),
    tied: fields.flag('tie_word_embeddings', true),
    biased: fields.flag('enable_bias', true),
  };
}

export function neox(fields: Fields, architecture: string): NeoxConfig {
  const [width, heads] = [fields.length('hidden_size'), fields.length('num_attention_heads')];
  const head = headWidth(fields, width, heads, 'num_attention_heads');
  const positions = fields.length('max_position_embeddings', 2048);
  const part = fields.share('rotary_pct', 0.25);
  return {
    family: 'gpt_neox',
    architecture,
    vocabulary: fields.length('vocab_size'),
    width,
    layers: fields.length('num_hidden_layers'),
    heads,
    head,
    inner: fields.length('intermediate_size'),
    positions,
    window: undefined,
    eps: fields.positive('layer_norm_eps', 1e-5),
    activation: activation(fields, 'hidden_act', 'gelu'),
    tied: fields.flag('tie_word_embeddings', false),
    rotary: rotaryOf(fields, { positions, head, part }),
    parallel: fields.flag('use_parallel_residual', true),
    biased: fields.flag('attention_bias', true),
  };
}
