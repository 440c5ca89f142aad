/** What the writers of imported programs share: embedding and head, and runs of layers. */
import type { Notation, Update } from './adapters.ts';
import type { ModelConfig } from '../config/model.ts';
import type { Training } from './training.ts';

/** Bits of the head's weights: their rounding is the only one that differs from token to token. */
export const HEAD_BITS = 20;

const HEAD_COMMENT = `// ${HEAD_BITS} bits: between tokens of nearly equal scores nothing but this rounding decides.`;
const TRAINED_HEAD_COMMENT = `// ${HEAD_BITS} bits, as in the program that is served: both have one commitment to the base model.`;

export const layerNames = (config: ModelConfig, stem: string): string[] =>
  Array.from({ length: config.layers }, (_, l) => `${stem}.${l}`);

export interface Writer {
  readonly config: ModelConfig;
  readonly tokens: number;
  readonly headType: string;
  readonly updates: ReadonlyMap<string, readonly Update[]>;
  readonly notation: Notation;
  /** Absent for a program that proves what the model says of one sequence. */
  readonly training: Training | undefined;
  /** How many sequences there are, and how many rows of theirs stand one below the other. */
  readonly sequences: '1' | 'N';
  readonly rows: 'T' | 'N * T';
  /** What the program imports from "std". */
  readonly used: Set<string>;
}

export const use = ({ used }: Writer, name: string): string => {
  used.add(name);
  return name;
};

/** The lines of a layer by its full name; `index` is what the program calls its number. */
export type WriteLayer = (layer: string, index: string) => string[];

/** Runs of layers that adapters change alike: the first one, and how many. */
function layerRuns(w: Writer, stem: string, write: WriteLayer): { readonly first: number; readonly count: number }[] {
  const runs: { first: number; count: number; text: string }[] = [];
  for (let l = 0; l < w.config.layers; l++) {
    const text = write(`${stem}.${l}`, 'l').join('\n');
    const last = runs.at(-1);
    if (last?.text === text) last.count++;
    else runs.push({ first: l, count: 1, text });
  }
  return runs;
}

export function repeats(w: Writer, stem: string, write: WriteLayer): string[] {
  const runs = layerRuns(w, stem, write);
  return runs.flatMap(({ first, count }) => {
    // Names of their own, so that no two tensors of a program have one name.
    const [index, at] = first === 0 ? ['l', 'l'] : [`l${first}`, `l${first} + ${first}`];
    const lines = write(`${stem}.${first}`, at);
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

/** E, and U where the head is no embedding. Both by their modules' names. */
export const writeTables = ({ config, headType, training }: Writer, embedding: string, head: string): string[] => [
  training === undefined ? HEAD_COMMENT : TRAINED_HEAD_COMMENT,
  ...(config.tied ? [] : [`open U[V, D]: ${headType} from base "${head}.weight"`]),
  `open E[V, D]${config.tied ? `: ${headType}` : ''} from base "${embedding}.weight"`,
];

/**
 * x, the embedded tokens; where something is trained, `tokens` before it: those of a step, one more than are read.
 *
 * @param factor before each entry of the table
 * @param added what is added at a position of its sequence, which the argument names
 */
export function writeEmbedding(w: Writer, factor = '', added?: (position: string) => string): string[] {
  const plus = (position: string): string => (added === undefined ? '' : ` + ${added(position)}`);
  if (w.training !== undefined)
    return [
      'tokens[n, t: T + 1] = corpus[rows[n], t]',
      `x[i: N * T, d] = round(${factor}E[tokens[i div T, i mod T], d]${plus('i mod T')})`,
    ];
  if (added !== undefined) return [`x[t: T, d] = round(${factor}E[tokens[t], d]${plus('t')})`];
  return [`x = round(${factor}${use(w, 'embedding')}(E, tokens))`];
}

/** @param paths by which adapters may call the head */
export function writeHead(w: Writer, paths: readonly string[]): string[] {
  const updates = paths.flatMap((path) => (w.updates.get(path) ?? []).map((update) => ({ path, update })));
  if (updates.length > 0) use(w, 'lora');
  const terms = [
    `${use(w, 'head')}(y, ${w.config.tied ? 'E' : 'U'})`,
    ...updates.map(({ path, update }) => `${w.notation.call(update, 'V', 'y')} at "${path}"`),
  ];
  const logits = `logits = ${terms.join(' + ')}`;
  if (w.training !== undefined) return [logits];
  return [
    '// `public logits` instead makes all scores public, with no line for `next`; `public next = argmax(v) logits[T - 1, v]` says the',
    '// last token alone.',
    logits,
    'public next[t] = argmax(v) logits[t, v]',
  ];
}
