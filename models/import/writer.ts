/** What the writers of imported programs share: the parts of a model, projections with their adapters, runs of layers. */
import type { Notation, Projection, Update } from './adapters.ts';
import type { ModelConfig } from '../config/model.ts';

/** Bits of the head's weights: their rounding is the only one that differs from token to token. */
export const HEAD_BITS = 20;

export const HEAD_COMMENT = `// ${HEAD_BITS} bits: between tokens of nearly equal scores nothing but this rounding decides.`;

/** What a model is made of, by full names. */
export interface Parts {
  readonly projections: ReadonlyMap<string, Projection>;
  readonly tensors: ReadonlyMap<string, readonly number[]>;
  /** The tensor whose rows the last layer is multiplied with. */
  readonly head: string;
}

export const layerNames = (config: ModelConfig, stem: string): string[] =>
  Array.from({ length: config.layers }, (_, l) => `${stem}.${l}`);

export interface Writer {
  readonly config: ModelConfig;
  readonly tokens: number;
  readonly headType: string;
  readonly updates: ReadonlyMap<string, readonly Update[]>;
  readonly notation: Notation;
  /** What the program imports from "std". */
  readonly used: Set<string>;
}

export const use = ({ used }: Writer, name: string): string => {
  used.add(name);
  return name;
};

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

/** Runs of layers that adapters change alike: how many, and their lines. */
function layerRuns(
  w: Writer,
  stem: string,
  write: (layer: string) => string[],
): { readonly first: number; readonly count: number; readonly lines: readonly string[] }[] {
  const runs: { first: number; count: number; lines: string[] }[] = [];
  for (let l = 0; l < w.config.layers; l++) {
    const lines = write(`${stem}.${l}`);
    const last = runs.at(-1);
    if (last?.lines.join('\n') === lines.join('\n')) last.count++;
    else runs.push({ first: l, count: 1, lines });
  }
  return runs;
}

export function repeats(w: Writer, stem: string, write: (layer: string) => string[]): string[] {
  const runs = layerRuns(w, stem, write);
  return runs.flatMap(({ first, count, lines }) => {
    // Names of their own, so that no two tensors of a program have one name.
    const [index, at] = first === 0 ? ['l', 'l'] : [`l${first}`, `l${first} + ${first}`];
    return [`repeat ${index}: ${runs.length === 1 ? 'L' : count} at "${stem}.{${at}}" {`, ...lines, '}', ''];
  });
}

/** The dimension that a single repeat counts to. */
export const layerCount = ({ config }: Writer, lines: readonly string[]): string[] =>
  lines.some((line) => line.startsWith('repeat l: L ')) ? [`L = ${config.layers}`] : [];

export interface Body {
  readonly dims: readonly string[];
  readonly consts: readonly string[];
  readonly lines: readonly string[];
}

export function writeHead(w: Writer): string[] {
  const updates = w.updates.get('lm_head') ?? [];
  if (updates.length > 0) use(w, 'lora');
  const terms = [
    `${use(w, 'head')}(y, ${w.config.tied ? 'E' : 'U'})`,
    ...updates.map((u) => `${w.notation.call(u, 'V', 'y')} at "lm_head"`),
  ];
  return [
    '// `public logits` instead makes all scores public, with no line for `next`; `public next = argmax(v) logits[T - 1, v]` says the',
    '// last token alone.',
    `logits = ${terms.join(' + ')}`,
    'public next[t] = argmax(v) logits[t, v]',
  ];
}
