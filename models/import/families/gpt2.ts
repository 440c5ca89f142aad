/** Programs for models of the GPT-2 family. */
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
import { isAdapted, plainLayer, projected } from './layers.ts';
import { PartsBuilder, type Parts } from './parts.ts';
import type { Gpt2Config } from '../../config/gpt.ts';

export function gpt2Parts(config: Gpt2Config): Parts {
  const { width: D, inner: F } = config;
  const parts = new PartsBuilder();
  parts.table('transformer.wpe', config.positions, D);
  for (const layer of layerNames(config, 'transformer.h')) {
    parts.layernorm(`${layer}.ln_1`, D);
    parts.conv1d(`${layer}.attn.c_attn`, D, 3 * D);
    parts.conv1d(`${layer}.attn.c_proj`, D, D);
    parts.layernorm(`${layer}.ln_2`, D);
    parts.conv1d(`${layer}.mlp.c_fc`, D, F);
    parts.conv1d(`${layer}.mlp.c_proj`, F, D);
  }
  parts.layernorm('transformer.ln_f', D);
  return parts.withHead(['lm_head'], 'transformer.wte', config);
}

export function writeGpt2(w: Writer, c: Gpt2Config): Body {
  const paths = ['mlp.c_fc', 'mlp.c_proj'] as const;
  const feedForward = (name: string): string[] =>
    c.activation === 'gelu' && !isAdapted(w, name, paths)
      ? [`x' = round(a + ${use(w, 'mlp')}<F>(n) at "mlp")`]
      : plainLayer(w, c, name, paths, 'conv1d');
  const layer = (name: string): string[] => [
    `h = ${use(w, 'layernorm')}(x, eps) at "ln_1"`,
    `c = round(${projected(w, name, 'attn.c_attn', 'conv1d', '3 * D', 'h').sum}) at "attn.c_attn"`,
    `o = ${use(w, 'fused_attention')}<H, K>(c as [${w.sequences}, T, 3 * D]) at "attn"`,
    `a = round(x + ${projected(w, name, 'attn.c_proj', 'conv1d', 'D', 'o').terms.join(' + ')})`,
    'n = layernorm(a, eps) at "ln_2"',
    ...feedForward(name),
  ];
  const lines = [
    ...writeTables(w, 'transformer.wte', 'lm_head'),
    'open W[P, D] from base "transformer.wpe.weight"',
    '',
    ...writeEmbedding(w, '', (t) => `W[${t}, d]`),
    '',
    ...repeats(w, 'transformer.h', layer),
    'y = layernorm(x, eps) at "transformer.ln_f"',
    ...writeHead(w, ['lm_head']),
  ];
  return {
    dims: [`P = ${c.positions}`, `F = ${c.inner}`, `H = ${c.heads}`, ...layerCount(w, lines), 'K = D / H'],
    consts: [`eps = ${c.eps}`],
    lines,
  };
}
