/** Programs for models of the OPT family (Zhang et al., 2022). */
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
import { plainLayer, projected } from './layers.ts';
import { PartsBuilder, type Parts } from './parts.ts';
import type { OptConfig } from '../../config/gpt.ts';

/** Rows of the table of positions before that of the first token. */
const OFFSET = 2;

export function optParts(config: OptConfig): Parts {
  const { width: D, inner: F, biased } = config;
  const parts = new PartsBuilder();
  parts.table('model.decoder.embed_positions', config.positions + OFFSET, D);
  for (const layer of layerNames(config, 'model.decoder.layers')) {
    parts.layernorm(`${layer}.self_attn_layer_norm`, D);
    for (const side of ['q', 'k', 'v', 'out']) parts.linear(`${layer}.self_attn.${side}_proj`, D, D, biased);
    parts.layernorm(`${layer}.final_layer_norm`, D);
    parts.linear(`${layer}.fc1`, F, D, biased);
    parts.linear(`${layer}.fc2`, D, F, biased);
  }
  parts.layernorm('model.decoder.final_layer_norm', D);
  return parts.withHead(['lm_head'], 'model.decoder.embed_tokens', config);
}

export function writeOpt(w: Writer, c: OptConfig): Body {
  const block = c.biased ? 'affine' : 'linear';
  const layer = (name: string): string[] => {
    const attention = (side: string): string =>
      `${side} = round(${projected(w, name, `self_attn.${side}_proj`, block, 'D', 'h').sum}) at "self_attn.${side}_proj"`;
    return [
      `h = ${use(w, 'layernorm')}(x, eps) at "self_attn_layer_norm"`,
      ...['q', 'k', 'v'].map(attention),
      `o = ${use(w, 'attention')}(${['q', 'k', 'v'].map((side) => `${side} as [${w.sequences}, T, H, K]`).join(', ')}) at "self_attn"`,
      `a = round(x + ${projected(w, name, 'self_attn.out_proj', block, 'D', 'o').terms.join(' + ')})`,
      'n = layernorm(a, eps) at "final_layer_norm"',
      ...plainLayer(w, c, name, ['fc1', 'fc2'], block),
    ];
  };
  const lines = [
    ...writeTables(w, 'model.decoder.embed_tokens', 'lm_head'),
    `open W[P + ${OFFSET}, D] from base "model.decoder.embed_positions.weight"`,
    '',
    ...writeEmbedding(w, '', (t) => `W[${t} + ${OFFSET}, d]`),
    '',
    ...repeats(w, 'model.decoder.layers', layer),
    'y = layernorm(x, eps) at "model.decoder.final_layer_norm"',
    ...writeHead(w, ['lm_head']),
  ];
  return {
    dims: [`P = ${c.positions}`, `F = ${c.inner}`, `H = ${c.heads}`, ...layerCount(w, lines), 'K = D / H'],
    consts: [`eps = ${c.eps}`],
    lines,
  };
}
