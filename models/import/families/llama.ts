/** Programs for models of the LLaMA family: LLaMA, Mistral, Qwen2, Qwen3. */
import {
  layerCount,
  layerNames,
  repeats,
  use,
  writeEmbedding,
  writeHead,
  writeTables,
  type Body,
  type Writer,
} from '../writer.ts';
import { attentionCall, gatedLayer, projected } from './layers.ts';
import { PartsBuilder, type Parts } from './parts.ts';
import type { LlamaConfig } from '../../config/llama.ts';

export function llamaParts(config: LlamaConfig): Parts {
  const { width: D, head: K, heads: H, groups: G, inner: F, biased } = config;
  const parts = new PartsBuilder();
  for (const layer of layerNames(config, 'model.layers')) {
    parts.rmsnorm(`${layer}.input_layernorm`, D);
    parts.linear(`${layer}.self_attn.q_proj`, H * K, D, biased.input);
    parts.linear(`${layer}.self_attn.k_proj`, G * K, D, biased.input);
    parts.linear(`${layer}.self_attn.v_proj`, G * K, D, biased.input);
    if (config.normed) for (const side of ['q', 'k']) parts.rmsnorm(`${layer}.self_attn.${side}_norm`, K);
    parts.linear(`${layer}.self_attn.o_proj`, D, H * K, biased.output);
    parts.rmsnorm(`${layer}.post_attention_layernorm`, D);
    parts.linear(`${layer}.mlp.gate_proj`, F, D, biased.mlp);
    parts.linear(`${layer}.mlp.up_proj`, F, D, biased.mlp);
    parts.linear(`${layer}.mlp.down_proj`, D, F, biased.mlp);
  }
  parts.rmsnorm('model.norm', D);
  return parts.withHead(['lm_head'], 'model.embed_tokens', config);
}

export function writeLlama(w: Writer, c: LlamaConfig): Body {
  const [input, output] = [c.biased.input, c.biased.output].map((bias) => (bias ? 'affine' : 'linear'));
  const layer = (name: string): string[] => {
    const attention = (path: string, outputs: string): string =>
      `round(${projected(w, name, `self_attn.${path}`, input, outputs, 'h').sum}) at "self_attn.${path}"`;
    const norm = (of: string, heads: string): string =>
      `rmsnorm(${of} as [${w.rows} * ${heads}, K], eps) at "self_attn.${of}_norm"`;
    return [
      `h = ${use(w, 'rmsnorm')}(x, eps) at "input_layernorm"`,
      `q = ${attention('q_proj', 'H * K')}`,
      `k = ${attention('k_proj', 'G * K')}`,
      `v = ${attention('v_proj', 'G * K')}`,
      ...(c.normed ? [`qn = ${norm('q', 'H')}`, `kn = ${norm('k', 'G')}`] : []),
      `o = ${attentionCall(w, c.rotary, c.head, c.normed ? ['qn', 'kn', 'v'] : ['q', 'k', 'v'])} at "self_attn"`,
      `a = round(x + ${projected(w, name, 'self_attn.o_proj', output, 'D', 'o').terms.join(' + ')})`,
      'n = rmsnorm(a, eps) at "post_attention_layernorm"',
      ...gatedLayer(w, c, name, c.biased.mlp),
    ];
  };
  const lines = [
    ...writeTables(w, 'model.embed_tokens', 'lm_head'),
    '',
    ...writeEmbedding(w),
    '',
    ...repeats(w, 'model.layers', layer),
    'y = rmsnorm(x, eps) at "model.norm"',
    ...writeHead(w, ['lm_head']),
  ];
  const kept = c.head * c.heads === c.width ? 'K = D / H' : `K = ${c.head}`;
  return {
    dims: [`F = ${c.inner}`, `H = ${c.heads}`, `G = ${c.groups}`, ...layerCount(w, lines), kept],
    consts: [`eps = ${c.eps}`, `theta = ${c.rotary.base}`],
    lines,
  };
}
