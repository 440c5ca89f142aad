/** Programs for text models of the Gemma 3 family (Gemma Team, 2025). */
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
import { frequencies, GATED, gates, headsOf, isPlain, projected, scoreScale } from './layers.ts';
import { PartsBuilder, type Parts } from './parts.ts';
import type { Gemma3Config } from '../../config/llama.ts';

const NORMS = ['input', 'post_attention', 'pre_feedforward', 'post_feedforward'];

export function gemma3Parts(config: Gemma3Config): Parts {
  const { width: D, head: K, heads: H, groups: G, inner: F, biased } = config;
  const parts = new PartsBuilder();
  for (const layer of layerNames(config, 'model.layers')) {
    for (const norm of NORMS) parts.rmsnorm(`${layer}.${norm}_layernorm`, D);
    parts.linear(`${layer}.self_attn.q_proj`, H * K, D, biased);
    for (const side of ['k', 'v']) parts.linear(`${layer}.self_attn.${side}_proj`, G * K, D, biased);
    for (const side of ['q', 'k']) parts.rmsnorm(`${layer}.self_attn.${side}_norm`, K);
    parts.linear(`${layer}.self_attn.o_proj`, D, H * K, biased);
    for (const path of GATED.slice(0, 2)) parts.linear(`${layer}.${path}`, F, D, false);
    parts.linear(`${layer}.${GATED[2]}`, D, F, false);
  }
  parts.rmsnorm('model.norm', D);
  return parts.withHead(['lm_head'], 'model.embed_tokens', config);
}

export function writeGemma3(w: Writer, c: Gemma3Config): Body {
  const block = c.biased ? 'affine' : 'linear';
  const norm = (of: string, path: string): string => `round(${use(w, 'centred_rmsnorm')}(${of}, eps)) at "${path}"`;
  const layer = (name: string, index: string): string[] => {
    const project = (path: string, outputs: string, input: string, kind = block): string =>
      `round(${projected(w, name, path, kind, outputs, input).sum}) at "${path}"`;
    const { consts, attention } = attentionOf(w, c, Number(name.split('.').at(-1)), index);
    return [
      ...consts,
      `h = ${norm('x', 'input_layernorm')}`,
      `q = ${project('self_attn.q_proj', 'H * K', 'h')}`,
      `k = ${project('self_attn.k_proj', 'G * K', 'h')}`,
      `v = ${project('self_attn.v_proj', 'G * K', 'h')}`,
      `qn = ${norm(`q as [${w.rows} * H, K]`, 'self_attn.q_norm')}`,
      `kn = ${norm(`k as [${w.rows} * G, K]`, 'self_attn.k_norm')}`,
      `o = ${attention} at "self_attn"`,
      `p = ${project('self_attn.o_proj', 'D', 'o')}`,
      'a = round(x + centred_rmsnorm(p, eps) at "post_attention_layernorm")',
      `n = ${norm('a', 'pre_feedforward_layernorm')}`,
      ...gates(w, c.activation, name, 'linear'),
      'm = g * u',
      `f = ${project(GATED[2], 'D', 'm', 'linear')}`,
      'x\' = round(a + centred_rmsnorm(f, eps) at "post_feedforward_layernorm")',
    ];
  };
  const lines = [
    ...writeTables(w, 'model.embed_tokens', 'lm_head'),
    '',
    ...writeEmbedding(w, 'scale * '),
    '',
    ...repeats(w, 'model.layers', layer),
    `y = ${norm('x', 'model.norm')}`,
    ...writeHead(w, ['lm_head']),
  ];
  return {
    dims: [`F = ${c.inner}`, `H = ${c.heads}`, `G = ${c.groups}`, ...layerCount(w, lines), `K = ${c.head}`],
    consts: [`eps = ${c.eps}`, 'scale = round<32, 20>(sqrt(D))'],
    lines,
  };
}

/** Attention of a layer, with the constants that layers with a window have otherwise than the rest. */
function attentionOf(
  w: Writer,
  c: Gemma3Config,
  layer: number,
  index: string,
): { readonly consts: readonly string[]; readonly attention: string } {
  const [own, other] = c.local[layer] ? [c.localRotary, c.rotary] : [c.rotary, c.localRotary];
  const heads = headsOf(w, ['qn', 'kn', 'v']);
  const period = periodOf(c.local);
  const [local, full] = [c.localRotary, c.rotary];
  const chosen = (of: (rotary: typeof own) => number): string =>
    period === undefined || of(local) === of(full)
      ? String(of(own))
      : `if ${/^\w+$/.test(index) ? index : `(${index})`} mod ${period} == ${period - 1} then ${of(full)} else ${of(local)}`;
  const plain = [own, other].every((rotary) => isPlain(rotary, c.head, c.scoreScale));
  const theta = `const theta = ${chosen((r) => r.base)}`;
  if (plain) return { consts: [theta], attention: `${use(w, 'rotary_attention')}(${heads}, theta)` };
  const turned = (angles: string): string =>
    `${use(w, 'turned_attention')}(${heads}, ${angles}, ${scoreScale(own, String(c.scoreScale))})`;
  if (own.angles.kind !== 'plain' || other.angles.kind !== 'plain' || own.magnitude !== other.magnitude)
    return { consts: [`const theta = ${own.base}`], attention: turned(frequencies(w, own, c.head)) };
  const factor = chosen(({ angles }) => angles.factor);
  return {
    consts: [theta, `const factor = ${factor}`],
    attention: turned(`${use(w, 'frequencies')}<K / 2>(theta, factor = factor)`),
  };
}

/** p where every p-th layer has no window and all others have one. */
function periodOf(local: readonly boolean[]): number | undefined {
  const period = local.indexOf(false) + 1;
  return period > 1 && local.every((l, k) => l === (k + 1) % period > 0) ? period : undefined;
}
