/** Programs for models of the Phi-3 family (Abdin et al., 2024), whose projections of one input are fused. */
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
import { frequencies, projected, scoreScale } from './layers.ts';
import { PartsBuilder, type Parts } from './parts.ts';
import type { Phi3Config } from '../../config/llama.ts';

export function phi3Parts(config: Phi3Config): Parts {
  const { width: D, head: K, heads: H, groups: G, inner: F } = config;
  const parts = new PartsBuilder();
  for (const layer of layerNames(config, 'model.layers')) {
    parts.rmsnorm(`${layer}.input_layernorm`, D);
    parts.linear(`${layer}.self_attn.qkv_proj`, (H + 2 * G) * K, D, false);
    parts.linear(`${layer}.self_attn.o_proj`, D, H * K, false);
    parts.rmsnorm(`${layer}.post_attention_layernorm`, D);
    parts.linear(`${layer}.mlp.gate_up_proj`, 2 * F, D, false);
    parts.linear(`${layer}.mlp.down_proj`, D, F, false);
  }
  parts.rmsnorm('model.norm', D);
  return parts.withHead(['lm_head'], 'model.embed_tokens', config);
}

export function writePhi3(w: Writer, c: Phi3Config): Body {
  const layer = (name: string): string[] => {
    const path = 'self_attn.qkv_proj';
    const sum = (of: string, outputs: string, input: string): string =>
      projected(w, name, of, 'linear', outputs, input).terms.join(' + ');
    return [
      `h = ${use(w, 'rmsnorm')}(x, eps) at "input_layernorm"`,
      `c = round(${projected(w, name, path, 'linear', '(H + 2 * G) * K', 'h').sum}) at "${path}"`,
      `o = ${use(w, 'fused_turned_attention')}<H, G, K>(c as [${w.sequences}, T, (H + 2 * G) * K], ${frequencies(w, c.rotary, c.head)}, ${scoreScale(c.rotary)}) at "self_attn"`,
      `a = round(x + ${sum('self_attn.o_proj', 'D', 'o')})`,
      'n = rmsnorm(a, eps) at "post_attention_layernorm"',
      `p = ${sum('mlp.gate_up_proj', '2 * F', 'n')}`,
      `g[t, i: F] = ${use(w, c.activation)}(round(p[t, i]))`,
      'u[t, i: F] = round(p[t, F + i])',
      'm = g * u',
      `x' = round(a + ${sum('mlp.down_proj', 'D', 'm')})`,
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
