/** Programs for models of the GPT-NeoX family (Black et al., 2022), Pythia among them. */
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
import { activated, frequencies, plainLayer, projected, scoreScale } from './layers.ts';
import { PartsBuilder, type Parts } from './parts.ts';
import type { NeoxConfig } from '../../config/gpt.ts';

const FEED_FORWARD = ['mlp.dense_h_to_4h', 'mlp.dense_4h_to_h'] as const;

/** In files, and in transformers from version 5 on. */
const HEAD = ['embed_out', 'lm_head'] as const;

export function neoxParts(config: NeoxConfig): Parts {
  const { width: D, inner: F, biased } = config;
  const parts = new PartsBuilder();
  for (const layer of layerNames(config, 'gpt_neox.layers')) {
    parts.layernorm(`${layer}.input_layernorm`, D);
    parts.linear(`${layer}.attention.query_key_value`, 3 * D, D, biased);
    parts.linear(`${layer}.attention.dense`, D, D, biased);
    parts.layernorm(`${layer}.post_attention_layernorm`, D);
    parts.linear(`${layer}.${FEED_FORWARD[0]}`, F, D, true);
    parts.linear(`${layer}.${FEED_FORWARD[1]}`, D, F, true);
  }
  parts.layernorm('gpt_neox.final_layer_norm', D);
  return parts.withHead(HEAD, 'gpt_neox.embed_in', config);
}

export function writeNeox(w: Writer, c: NeoxConfig): Body {
  const block = c.biased ? 'affine' : 'linear';
  const layer = (name: string): string[] => {
    const path = 'attention.query_key_value';
    const dense = projected(w, name, 'attention.dense', block, 'D', 'o').terms.join(' + ');
    const before = [
      `h = ${use(w, 'layernorm')}(x, eps) at "input_layernorm"`,
      `c = round(${projected(w, name, path, block, '3 * D', 'h').sum}) at "${path}"`,
      `o = ${use(w, 'headwise_turned_attention')}<H, K>(c as [${w.sequences}, T, 3 * D], ${frequencies(w, c.rotary, c.head)}, ${scoreScale(c.rotary)}) at "attention"`,
    ];
    if (!c.parallel)
      return [
        ...before,
        `a = round(x + ${dense})`,
        'n = layernorm(a, eps) at "post_attention_layernorm"',
        ...plainLayer(w, c, name, FEED_FORWARD, 'affine'),
      ];
    const [up, down] = FEED_FORWARD;
    return [
      ...before,
      'n = layernorm(x, eps) at "post_attention_layernorm"',
      activated(w, c.activation, name, up, 'affine'),
      `x' = round(x + ${[dense, ...projected(w, name, down, 'affine', 'D', 'g').terms].join(' + ')})`,
    ];
  };
  const lines = [
    ...writeTables(w, 'gpt_neox.embed_in', 'embed_out'),
    '',
    ...writeEmbedding(w),
    '',
    ...repeats(w, 'gpt_neox.layers', layer),
    'y = layernorm(x, eps) at "gpt_neox.final_layer_norm"',
    ...writeHead(w, HEAD),
  ];
  return {
    dims: [`F = ${c.inner}`, `H = ${c.heads}`, ...layerCount(w, lines), 'K = D / H'],
    consts: [`eps = ${c.eps}`, `theta = ${c.rotary.base}`],
    lines,
  };
}
