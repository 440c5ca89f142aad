/** Lines that families share: projections with what adapters add, attention with rotary positions, feed-forward layers. */
import { use, type Writer } from '../writer.ts';
import type { Rotary } from '../../config/rotary.ts';
import type { Decoder } from '../../config/decoder.ts';

/** A projection and what adapters add to it, with its path on each part of the sum. */
export function projected(
  w: Writer,
  layer: string,
  path: string,
  block: string,
  outputs: string,
  input: string,
): { readonly sum: string; readonly terms: readonly string[] } {
  const updates = w.updates.get(`${layer}.${path}`) ?? [];
  const terms = [`${use(w, block)}<${outputs}>(${input})`, ...updates.map((u) => w.notation.call(u, outputs, input))];
  if (updates.length > 0) use(w, 'lora');
  return { sum: terms.join(' + '), terms: terms.map((term) => `${term} at "${path}"`) };
}

export const isAdapted = ({ updates }: Writer, layer: string, paths: readonly string[]): boolean =>
  paths.some((path) => updates.has(`${layer}.${path}`));

/** The last projection of the feed-forward layer and a residual, for the next layer's input. */
const residual = (w: Writer, layer: string, path: string, block: string, input: string): string =>
  `x' = round(a + ${projected(w, layer, path, block, 'D', input).terms.join(' + ')})`;

/** From n, the normed input, and a, the residual: two projections and a function between them. */
export function plainLayer(
  w: Writer,
  { activation }: Decoder,
  layer: string,
  [up, down]: readonly [up: string, down: string],
  block: string,
): string[] {
  return [activated(w, activation, layer, up, block), residual(w, layer, down, block, 'g')];
}

export const activated = (w: Writer, activation: string, layer: string, path: string, block: string): string =>
  `g = ${use(w, activation)}(round(${projected(w, layer, path, block, 'F', 'n').sum}) at "${path}")`;

export const GATED = ['mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj'] as const;

/** g and u of a gated layer, from n; what is projected last is g * u. */
export function gates(w: Writer, activation: string, layer: string, block: string): string[] {
  const [gate, up] = GATED;
  return [
    activated(w, activation, layer, gate, block),
    `u = round(${projected(w, layer, up, block, 'F', 'n').sum}) at "${up}"`,
  ];
}

/** From n, the normed input, and a, the residual: a gated layer. */
export function gatedLayer(w: Writer, { activation }: Decoder, layer: string, biased: boolean): string[] {
  if (activation === 'silu' && !biased && !isAdapted(w, layer, GATED))
    return [`x' = round(a + ${use(w, 'swiglu')}<F>(n) at "mlp")`];
  const block = biased ? 'affine' : 'linear';
  return [...gates(w, activation, layer, block), 'm = g * u', residual(w, layer, GATED[2], block, 'm')];
}

/** Whether angles and scores are those of `rotary_attention`. */
export const isPlain = ({ turned, angles, magnitude }: Rotary, head: number, scoreScale = head): boolean =>
  turned === head && angles.kind === 'plain' && angles.factor === 1 && magnitude === 1 && scoreScale === head;

/** Queries, keys and values by their heads, as attention takes them. */
export const headsOf = ({ sequences }: Writer, [q, k, v]: readonly [q: string, k: string, v: string]): string =>
  `${q} as [${sequences}, T, H, K], ${k} as [${sequences}, T, G, K], ${v} as [${sequences}, T, G, K]`;

/** Attention of queries, keys and values with a head each. */
export function attentionCall(
  w: Writer,
  rotary: Rotary,
  head: number,
  sides: readonly [q: string, k: string, v: string],
): string {
  const heads = headsOf(w, sides);
  return isPlain(rotary, head)
    ? `${use(w, 'rotary_attention')}(${heads}, theta)`
    : `${use(w, 'turned_attention')}(${heads}, ${frequencies(w, rotary, head)}, ${scoreScale(rotary)})`;
}

/** The constant angles of rotations. The program calls their base `theta`. */
export function frequencies(w: Writer, { angles, turned }: Rotary, head: number): string {
  const pairs = turned === head ? 'K / 2' : String(turned / 2);
  switch (angles.kind) {
    case 'plain':
      return `${use(w, 'frequencies')}<${pairs}>(theta, factor = ${angles.factor})`;
    case 'llama3': {
      const { factor, low, high, length } = angles;
      return `${use(w, 'llama3_frequencies')}<${pairs}>(theta, factor = ${factor}, low = ${low}, high = ${high}, length = ${length})`;
    }
    case 'yarn':
      return `${use(w, 'yarn_frequencies')}<${pairs}>(theta, factor = ${angles.factor}, low = ${angles.low}, high = ${angles.high})`;
  }
}

/** What the root of divides the scores: queries and keys are both multiplied by the magnitude. */
export const scoreScale = ({ magnitude }: Rotary, divisor = 'K'): string =>
  magnitude === 1 ? divisor : `${divisor} / ${magnitude} ^ 4`;
