/** Models of Hugging Face made up for tests: small, of either family, with every part that the family has. */
import { writeSafetensors, type TensorToWrite } from '../../models/files/safetensors-writer.ts';

export interface MadeModel {
  readonly config: Readonly<Record<string, unknown>>;
  /** By the names in the files. */
  readonly tensors: ReadonlyMap<string, TensorToWrite>;
}

export const LLAMA = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 12,
  intermediate_size: 20,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 4,
  vocab_size: 23,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  hidden_act: 'silu',
  tie_word_embeddings: true,
  torch_dtype: 'float32',
  transformers_version: '4.44.0',
} as const;

export const GPT2 = {
  architectures: ['GPT2LMHeadModel'],
  model_type: 'gpt2',
  n_embd: 12,
  n_layer: 2,
  n_head: 3,
  n_positions: 16,
  vocab_size: 19,
  layer_norm_epsilon: 1e-5,
  activation_function: 'gelu_new',
  attn_pdrop: 0.1,
  summary_type: 'cls_index',
  task_specific_params: { 'text-generation': { do_sample: true } },
} as const;

/** Entries spread evenly over [mean - spread, mean + spread]. */
function filler(seed: number): (shape: readonly number[], spread: number, mean?: number) => TensorToWrite {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  return (shape, spread, mean = 0) => ({
    dtype: 'F32',
    shape,
    values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => mean + spread * next()),
  });
}

export function makeLlama(changes: Readonly<Record<string, unknown>> = {}, seed = 1): MadeModel {
  const config = { ...LLAMA, ...changes };
  const make = filler(seed);
  const tensors = new Map<string, TensorToWrite>();
  const { hidden_size: D, intermediate_size: F, num_attention_heads: H, num_key_value_heads: G, head_dim: K } = config;
  const project = (name: string, O: number, I: number, bias: boolean): void => {
    tensors.set(`${name}.weight`, make([O, I], 1.5 / Math.sqrt(I)));
    if (bias) tensors.set(`${name}.bias`, make([O], 0.3));
  };
  const qwen = String(config.architectures).includes('Qwen2');
  const [biased, mlp] = ['attention_bias', 'mlp_bias'].map(
    (name) => (config as Record<string, unknown>)[name] === true,
  );
  tensors.set('model.embed_tokens.weight', make([config.vocab_size, D], 1));
  for (let l = 0; l < config.num_hidden_layers; l++) {
    const layer = `model.layers.${l}`;
    project(`${layer}.self_attn.q_proj`, H * K, D, biased || qwen);
    project(`${layer}.self_attn.k_proj`, G * K, D, biased || qwen);
    project(`${layer}.self_attn.v_proj`, G * K, D, biased || qwen);
    project(`${layer}.self_attn.o_proj`, D, H * K, biased);
    project(`${layer}.mlp.gate_proj`, F, D, mlp);
    project(`${layer}.mlp.up_proj`, F, D, mlp);
    project(`${layer}.mlp.down_proj`, D, F, mlp);
    for (const norm of ['input_layernorm', 'post_attention_layernorm'])
      tensors.set(`${layer}.${norm}.weight`, make([D], 0.3, 1));
  }
  tensors.set('model.norm.weight', make([D], 0.3, 1));
  if (!config.tie_word_embeddings) tensors.set('lm_head.weight', make([config.vocab_size, D], 1));
  return { config, tensors };
}

/** `prefix`: what checkpoints saved with their head have before names. */
export function makeGpt2(
  changes: Readonly<Record<string, unknown>> = {},
  prefix = 'transformer.',
  seed = 2,
): MadeModel {
  const config = { ...GPT2, ...changes };
  const make = filler(seed);
  const tensors = new Map<string, TensorToWrite>();
  const { n_embd: D, n_positions: P, vocab_size: V } = config;
  const F = (config as { n_inner?: number }).n_inner ?? 4 * D;
  const project = (name: string, I: number, O: number): void => {
    tensors.set(`${name}.weight`, make([I, O], 1.5 / Math.sqrt(I)));
    tensors.set(`${name}.bias`, make([O], 0.3));
  };
  const norm = (name: string): void => {
    tensors.set(`${name}.weight`, make([D], 0.3, 1));
    tensors.set(`${name}.bias`, make([D], 0.3));
  };
  tensors.set(`${prefix}wte.weight`, make([V, D], 1));
  tensors.set(`${prefix}wpe.weight`, make([P, D], 0.5));
  for (let l = 0; l < config.n_layer; l++) {
    const layer = `${prefix}h.${l}`;
    norm(`${layer}.ln_1`);
    // What older versions saved besides: the causal mask.
    tensors.set(`${layer}.attn.bias`, { dtype: 'F32', shape: [1, 1, P, P], values: new Float32Array(P * P) });
    project(`${layer}.attn.c_attn`, D, 3 * D);
    project(`${layer}.attn.c_proj`, D, D);
    norm(`${layer}.ln_2`);
    project(`${layer}.mlp.c_fc`, D, F);
    project(`${layer}.mlp.c_proj`, F, D);
  }
  norm(`${prefix}ln_f`);
  return { config, tensors };
}

/** The files of the model's directory; several shards with an index if there are to be more than one. */
export function modelFiles({ config, tensors }: MadeModel, shards = 1): Map<string, Uint8Array | string> {
  const files = new Map<string, Uint8Array | string>([['config.json', JSON.stringify(config)]]);
  if (shards === 1) return files.set('model.safetensors', writeSafetensors(tensors));
  const map: Record<string, string> = {};
  const parts = Array.from({ length: shards }, () => new Map<string, TensorToWrite>());
  for (const [k, [name, tensor]] of [...tensors].entries()) {
    map[name] = `model-0000${(k % shards) + 1}-of-0000${shards}.safetensors`;
    parts[k % shards].set(name, tensor);
  }
  for (const [k, part] of parts.entries())
    files.set(`model-0000${k + 1}-of-0000${shards}.safetensors`, writeSafetensors(part));
  return files.set('model.safetensors.index.json', JSON.stringify({ metadata: {}, weight_map: map }));
}
