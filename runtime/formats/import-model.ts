/** From a model of Hugging Face, with adapters or without, to a program of a page that proves what it computes. */
import { fractionBits } from '../evaluate/calibrate.ts';
import { requireTensor, type Checkpoint } from './checkpoint.ts';
import { FormatError, quote, quoteSome } from './errors.ts';
import {
  notationOf,
  updatesOf,
  type ModelAdapter,
  type Notation,
  type Projection,
  type Update,
} from './import-adapters.ts';
import { readModelConfig, type Gpt2Config, type LlamaConfig, type ModelConfig } from './model-config.ts';

export interface ImportedModel {
  readonly text: string;
  readonly config: ModelConfig;
  /** Projections that adapters change. */
  readonly adapted: readonly string[];
}

/** Bits of the head's weights: their rounding is the only one that differs from token to token. */
const HEAD_BITS = 20;

const HEAD_COMMENT = `// ${HEAD_BITS} bits: between tokens of nearly equal scores nothing but this rounding decides.`;

/**
 * A program for `tokens` tokens at a time, not yet laid out.
 *
 * @throws FormatError for a model or an adapter that cannot be imported, naming what stands against it
 */
export async function importModel(
  checkpoint: Checkpoint,
  adapters: readonly ModelAdapter[],
  tokens: number,
): Promise<ImportedModel> {
  const config = readModelConfig(checkpoint.config, checkpoint.configFile);
  if (tokens > config.positions)
    throw new FormatError(
      checkpoint.configFile,
      `the model has ${config.positions} positions, fewer than ${tokens} tokens`,
      `import it with --tokens ${config.positions} at most`,
    );
  const parts = config.family === 'llama' ? llamaParts(config) : gpt2Parts(config);
  checkTensors(checkpoint, parts, config);
  const updates = updatesOf(adapters, parts.projections);
  const head = await checkpoint.readFloats(parts.head);
  const frac = fractionBits(
    head.reduce((m, v) => Math.max(m, Math.abs(v)), 0),
    HEAD_BITS,
  );
  const context: Writer = {
    config,
    tokens,
    headType: `fixed<${HEAD_BITS}, ${frac}>`,
    updates,
    notation: notationOf(adapters),
    used: new Set(),
  };
  const body = config.family === 'llama' ? writeLlama(context, config) : writeGpt2(context, config);
  const sources = adapters.map((a) => a.source).filter((s) => s !== 'adapter');
  return {
    text: assemble(context, checkpoint, adapters, sources, body),
    config,
    adapted: [...updates.keys()],
  };
}

/** What a model is made of, by full names. */
interface Parts {
  readonly projections: ReadonlyMap<string, Projection>;
  readonly tensors: ReadonlyMap<string, readonly number[]>;
  /** The tensor whose rows the last layer is multiplied with. */
  readonly head: string;
}

const layerNames = (config: ModelConfig, stem: string): string[] =>
  Array.from({ length: config.layers }, (_, l) => `${stem}.${l}`);

function llamaParts(config: LlamaConfig): Parts {
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

function gpt2Parts(config: Gpt2Config): Parts {
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

/** Masks and angles that older checkpoints hold, and a copy of a tied head. */
const BUFFERS = /(?:^|\.)(?:attn\.(?:masked_)?bias|rotary_emb\.inv_freq)$/;

function checkTensors(checkpoint: Checkpoint, { tensors }: Parts, { tied }: ModelConfig): void {
  for (const [name, shape] of tensors) requireTensor(checkpoint, name, shape);
  const stored = new Set([...tensors.keys()].map((name) => checkpoint.storedName(name)));
  const further = [...checkpoint.tensors.keys()].filter(
    (name) => !stored.has(name) && !BUFFERS.test(name) && !(tied && name === 'lm_head.weight'),
  );
  if (further.length > 0)
    throw new FormatError(
      checkpoint.name,
      `the architecture has no place for ${quoteSome(further, 3)}`,
      `is ${quote(checkpoint.configFile)} of this model?`,
    );
}

interface Writer {
  readonly config: ModelConfig;
  readonly tokens: number;
  readonly headType: string;
  readonly updates: ReadonlyMap<string, readonly Update[]>;
  readonly notation: Notation;
  /** What the program imports from "std". */
  readonly used: Set<string>;
}

const use = ({ used }: Writer, name: string): string => {
  used.add(name);
  return name;
};

/** A projection and what adapters add to it, with its path on each part of the sum. */
function projected(
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

const isAdapted = ({ updates }: Writer, layer: string, paths: readonly string[]): boolean =>
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

function repeats(w: Writer, stem: string, write: (layer: string) => string[]): string[] {
  const runs = layerRuns(w, stem, write);
  return runs.flatMap(({ first, count, lines }) => {
    // Names of their own, so that no two tensors of a program have one name.
    const [index, at] = first === 0 ? ['l', 'l'] : [`l${first}`, `l${first} + ${first}`];
    return [`repeat ${index}: ${runs.length === 1 ? 'L' : count} at "${stem}.{${at}}" {`, ...lines, '}', ''];
  });
}

/** The dimension that a single repeat counts to. */
const layerCount = ({ config }: Writer, lines: readonly string[]): string[] =>
  lines.some((line) => line.startsWith('repeat l: L ')) ? [`L = ${config.layers}`] : [];

interface Body {
  readonly dims: readonly string[];
  readonly consts: readonly string[];
  readonly lines: readonly string[];
}

function writeLlama(w: Writer, c: LlamaConfig): Body {
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

function writeGpt2(w: Writer, c: Gpt2Config): Body {
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

function writeHead(w: Writer): string[] {
  const updates = w.updates.get('lm_head') ?? [];
  if (updates.length > 0) use(w, 'lora');
  const terms = [
    `${use(w, 'head')}(y, ${w.config.tied ? 'E' : 'U'})`,
    ...updates.map((u) => `${w.notation.call(u, 'V', 'y')} at "lm_head"`),
  ];
  return [
    '// `public logits` instead makes all scores public, with no line for `next`.',
    `logits = ${terms.join(' + ')}`,
    'public next = argmax(v) logits[T - 1, v]',
  ];
}

function assemble(
  { config, tokens, used, notation }: Writer,
  checkpoint: Checkpoint,
  adapters: readonly ModelAdapter[],
  sources: readonly string[],
  body: Body,
): string {
  const dims = [`T = ${tokens}`, `V = ${config.vocabulary}`, `D = ${config.width}`, ...body.dims, ...notation.dims];
  const what =
    adapters.length === 0
      ? ''
      : adapters.length === 1
        ? ' with a secret adapter'
        : ` with ${adapters.length} secret adapters`;
  const docs = [
    `${config.architecture} of ${lastName(checkpoint.name)}${what}, on ${tokens} tokens.`,
    '',
    'A proof shows that `next` is the token which the model finds most likely to follow `tokens`: exactly, in the fixed-point',
    'arithmetic written here and in the calibration. It publishes the tokens; `secret tokens` keeps them.',
    ...adapters.map(
      ({ source, fileName, description }) =>
        `The weights of \`${source}\`, for ${description.modules.length} projections, are those of ${lastName(fileName.replace(/\/[^/]*$/, ''))}.`,
    ),
  ];
  return [
    `import { ${[...used].join(', ')} } from "std"`,
    '',
    ...docs.map((line) => (line === '' ? '///' : `/// ${line}`)),
    `model ${config.family} {`,
    `dim ${dims.join(', ')}`,
    `const ${[...body.consts, ...notation.consts].join(', ')}`,
    ...(sources.length > 0 ? [`source ${sources.join(', ')}`] : []),
    '',
    'public tokens[T]: index<V>',
    ...body.lines,
    '}',
    '',
  ].join('\n');
}

/** The last name of a path, inside a comment. */
const lastName = (path: string): string =>
  quote(path.split(/[\\/]/).findLast((part) => part !== '') ?? path).slice(1, -1);
