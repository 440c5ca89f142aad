/** A checkpoint in the shape of LLaMA-7B that is nothing but its headers: enough to import and compile, not to prove. */
import { openCheckpoint, type Checkpoint } from '../../models/files/checkpoint.ts';

export async function llama7b(L = 32): Promise<Checkpoint> {
  const [D, F, V] = [4096, 11_008, 32_000];
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: D,
    intermediate_size: F,
    num_hidden_layers: L,
    num_attention_heads: 32,
    num_key_value_heads: 32,
    vocab_size: V,
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-6,
    rope_theta: 10000,
    hidden_act: 'silu',
    tie_word_embeddings: false,
  };
  const layer = {
    'self_attn.q_proj': [D, D],
    'self_attn.k_proj': [D, D],
    'self_attn.v_proj': [D, D],
    'self_attn.o_proj': [D, D],
    'mlp.gate_proj': [F, D],
    'mlp.up_proj': [F, D],
    'mlp.down_proj': [D, F],
    input_layernorm: [D],
    post_attention_layernorm: [D],
  };
  const shapes: [string, number[]][] = [
    ...Array.from({ length: L }, (_, l) =>
      Object.entries(layer).map(([name, shape]): [string, number[]] => [`model.layers.${l}.${name}.weight`, shape]),
    ).flat(),
    ['model.embed_tokens.weight', [V, D]],
    ['model.norm.weight', [D]],
    ['lm_head.weight', [V, D]],
  ];
  let at = 0;
  const header = Object.fromEntries(
    shapes.map(([name, shape]) => {
      const begin = at;
      at += 2 * shape.reduce((n, d) => n * d, 1);
      return [name, { dtype: 'BF16', shape, data_offsets: [begin, at] }];
    }),
  );
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = new Uint8Array(8 + text.length);
  new DataView(start.buffer).setBigUint64(0, BigInt(text.length), true);
  start.set(text, 8);
  const json = new TextEncoder().encode(JSON.stringify(config));
  const source = (name: string, bytes: Uint8Array, size: number) => ({
    name,
    size,
    read: (offset: number, length: number) => Promise.resolve(bytes.slice(offset, offset + length)),
  });
  const checkpoint = await openCheckpoint({
    name: 'model',
    open: (name) =>
      Promise.resolve(
        name === 'config.json'
          ? source(name, json, json.length)
          : name === 'model.safetensors'
            ? source(name, start, start.length + at)
            : undefined,
      ),
  });
  // An import wants to know how large the head's weights are, and nothing else of any.
  return { ...checkpoint, largest: () => Promise.resolve(1) };
}
