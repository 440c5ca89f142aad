/** Programs for models of the LLaMA family. */
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
import type { LlamaConfig } from '../config/model.ts';

export function llamaParts(config: LlamaConfig): Parts {
  const { width: D, head: K, heads: H, groups: G, inner: F, vocabulary: V, biased } = config;
  const projections = new Map<string, Projection>();
  const tensors = new Map<string, readonly number[]>([
    ['model.embed_tokens.weight', [V, D]],
    ['model.norm.weight', [D]],
  ]);
  const project = (name: string, outputs: number, inputs: number, bias: boolean): void => {
    projections.set(name, { inputs, outputs });
    tensors.set(`${name}.weight`, [outputs, inputs]);
    if (bias) tensors.set(`${name}.bias`, [outputs]);
  };
  for (const layer of layerNames(config, 'model.layers')) {
    project(`${layer}.self_attn.q_proj`, H * K, D, biased.input);
    project(`${layer}.self_attn.k_proj`, G * K, D, biased.input);
    project(`${layer}.self_attn.v_proj`, G * K, D, biased.input);
    project(`${layer}.self_attn.o_proj`, D, H * K, biased.output);
    project(`${layer}.mlp.gate_proj`, F, D, biased.mlp);
    project(`${layer}.mlp.up_proj`, F, D, biased.mlp);
    project(`${layer}.mlp.down_proj`, D, F, biased.mlp);
    for (const norm of ['input_layernorm', 'post_attention_layernorm']) tensors.set(`${layer}.${norm}.weight`, [D]);
  }
  projections.set('lm_head', { inputs: D, outputs: V });
  if (!config.tied) tensors.set('lm_head.weight', [V, D]);
  return { projections, tensors, head: config.tied ? 'model.embed_tokens.weight' : 'lm_head.weight' };
}

export function writeLlama(w: Writer, c: LlamaConfig): Body {
  const [input, output] = [c.biased.input, c.biased.output].map((bias) => (bias ? 'affine' : 'linear'));
  const layer = (name: string): string[] => {
    const attention = (path: string, outputs: string): string =>
      `round(${projected(w, name, `self_attn.${path}`, input, outputs, 'h').sum}) at "self_attn.${path}"`;
    return [
      `h = ${use(w, 'rmsnorm')}(x, eps) at "input_layernorm"`,
      `q = ${attention('q_proj', 'H * K')}`,
      `k = ${attention('k_proj', 'G * K')}`,
      `v = ${attention('v_proj', 'G * K')}`,
      `o = ${use(w, 'rotary_attention')}(q as [T, H, K], k as [T, G, K], v as [T, G, K], theta) at "self_attn"`,
      `a = round(x + ${projected(w, name, 'self_attn.o_proj', output, 'D', 'o').terms.join(' + ')})`,
      'n = rmsnorm(a, eps) at "post_attention_layernorm"',
      ...gatedLayer(w, c, name),
    ];
  };
  const lines = [
    HEAD_COMMENT,
    ...(c.tied ? [] : [`open U[V, D]: ${w.headType} from base "lm_head.weight"`]),
    `open E[V, D]${c.tied ? `: ${w.headType}` : ''} from base "model.embed_tokens.weight"`,
    '',
    `x = round(${use(w, 'embedding')}(E, tokens))`,
    '',
    ...repeats(w, 'model.layers', layer),
    'y = rmsnorm(x, eps) at "model.norm"',
    ...writeHead(w),
  ];
  const kept = c.head * c.heads === c.width ? 'K = D / H' : `K = ${c.head}`;
  return {
    dims: [`F = ${c.inner}`, `H = ${c.heads}`, `G = ${c.groups}`, ...layerCount(w, lines), kept],
    consts: [`eps = ${c.eps}`, `theta = ${c.theta}`],
    lines,
  };
}

function gatedLayer(w: Writer, c: LlamaConfig, layer: string): string[] {
  const paths = ['gate_proj', 'up_proj', 'down_proj'].map((name) => `mlp.${name}`);
  if (c.activation === 'silu' && !c.biased.mlp && !isAdapted(w, layer, paths))
    return [`x' = round(a + ${use(w, 'swiglu')}<F>(n) at "mlp")`];
  const block = c.biased.mlp ? 'affine' : 'linear';
  const [gate, up, down] = paths;
  return [
    `g = ${use(w, c.activation)}(round(${projected(w, layer, gate, block, 'F', 'n').sum}) at "${gate}")`,
    `u = round(${projected(w, layer, up, block, 'F', 'n').sum}) at "${up}"`,
    'm = g * u',
    `x' = round(a + ${projected(w, layer, down, block, 'D', 'm').terms.join(' + ')})`,
  ];
}
