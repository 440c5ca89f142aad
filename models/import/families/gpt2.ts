/** Programs for models of the GPT-2 family. */
import type { Projection } from './adapters.ts';
import {
  HEAD_COMMENT,
  isAdapted,
  layerCount,
  layerNames,
  projected,
  repeats,
  use,
  writeHead,
  type Body,
  type Parts,
  type Writer,
} from './writer.ts';
import type { Gpt2Config } from '../config/model.ts';

export function gpt2Parts(config: Gpt2Config): Parts {
  const { width: D, inner: F, vocabulary: V, positions } = config;
  const projections = new Map<string, Projection>();
  const tensors = new Map<string, readonly number[]>([
    ['transformer.wte.weight', [V, D]],
    ['transformer.wpe.weight', [positions, D]],
    ['transformer.ln_f.weight', [D]],
    ['transformer.ln_f.bias', [D]],
  ]);
  const project = (name: string, inputs: number, outputs: number): void => {
    projections.set(name, { inputs, outputs });
    tensors.set(`${name}.weight`, [inputs, outputs]);
    tensors.set(`${name}.bias`, [outputs]);
  };
  for (const layer of layerNames(config, 'transformer.h')) {
    project(`${layer}.attn.c_attn`, D, 3 * D);
    project(`${layer}.attn.c_proj`, D, D);
    project(`${layer}.mlp.c_fc`, D, F);
    project(`${layer}.mlp.c_proj`, F, D);
    for (const norm of ['ln_1', 'ln_2'])
      for (const part of ['weight', 'bias']) tensors.set(`${layer}.${norm}.${part}`, [D]);
  }
  projections.set('lm_head', { inputs: D, outputs: V });
  if (!config.tied) tensors.set('lm_head.weight', [V, D]);
  return { projections, tensors, head: config.tied ? 'transformer.wte.weight' : 'lm_head.weight' };
}

export function writeGpt2(w: Writer, c: Gpt2Config): Body {
  const layer = (name: string): string[] => [
    `h = ${use(w, 'layernorm')}(x, eps) at "ln_1"`,
    `c = round(${projected(w, name, 'attn.c_attn', 'conv1d', '3 * D', 'h').sum}) at "attn.c_attn"`,
    `o = ${use(w, 'fused_attention')}<H, K>(c) at "attn"`,
    `a = round(x + ${projected(w, name, 'attn.c_proj', 'conv1d', 'D', 'o').terms.join(' + ')})`,
    'n = layernorm(a, eps) at "ln_2"',
    ...plainLayer(w, c, name),
  ];
  const lines = [
    HEAD_COMMENT,
    ...(c.tied ? [] : [`open U[V, D]: ${w.headType} from base "lm_head.weight"`]),
    `open E[V, D]${c.tied ? `: ${w.headType}` : ''} from base "transformer.wte.weight"`,
    'open W[P, D] from base "transformer.wpe.weight"',
    '',
    'x[t: T, d] = round(E[tokens[t], d] + W[t, d])',
    '',
    ...repeats(w, 'transformer.h', layer),
    'y = layernorm(x, eps) at "transformer.ln_f"',
    ...writeHead(w),
  ];
  return {
    dims: [`P = ${c.positions}`, `F = ${c.inner}`, `H = ${c.heads}`, ...layerCount(w, lines), 'K = D / H'],
    consts: [`eps = ${c.eps}`],
    lines,
  };
}

function plainLayer(w: Writer, c: Gpt2Config, layer: string): string[] {
  const paths = ['mlp.c_fc', 'mlp.c_proj'];
  if (c.activation === 'gelu' && !isAdapted(w, layer, paths))
    return [`x' = round(a + ${use(w, 'mlp')}<F>(n) at "mlp")`];
  const [fc, proj] = paths;
  return [
    `g = ${use(w, c.activation)}(round(${projected(w, layer, fc, 'conv1d', 'F', 'n').sum}) at "${fc}")`,
    `x' = round(a + ${projected(w, layer, proj, 'conv1d', 'D', 'g').terms.join(' + ')})`,
  ];
}
