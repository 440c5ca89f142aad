/** From a model of Hugging Face, with adapters or without, to a program of a page that proves what it computes. */
import { fractionBits } from '../calibrate/scales.ts';
import { requireCount, requireOpened } from '../files/arguments.ts';
import { requireTensor, type Checkpoint } from '../files/checkpoint.ts';
import { FormatError, quote, quoteSome } from '../files/errors.ts';
import { notationOf, updatesOf, type ModelAdapter } from './adapters.ts';
import { gpt2Parts, writeGpt2 } from './gpt2.ts';
import { llamaParts, writeLlama } from './llama.ts';
import { HEAD_BITS, type Body, type Parts, type Writer } from './writer.ts';
import { readModelConfig, type ModelConfig } from '../config/model.ts';

export interface ImportedModel {
  readonly text: string;
  readonly config: ModelConfig;
  /** Projections that adapters change. */
  readonly adapted: readonly string[];
}

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
  requireOpened('checkpoint', checkpoint, 'storedName', 'openCheckpoint');
  requireCount('tokens', tokens, 'tokens of a proof');
  const config = readModelConfig(checkpoint.config, checkpoint.configFile);
  if (tokens > config.positions)
    throw new FormatError(
      checkpoint.configFile,
      `the model has ${config.positions} positions, fewer than ${tokens} tokens`,
      `import it with --tokens ${config.positions} at most`,
    );
  const window = windowOf(config);
  if (window !== undefined && tokens > window)
    throw new FormatError(
      checkpoint.configFile,
      `"sliding_window" is ${window}: attention is cut to a window of fewer than ${tokens} tokens`,
      `import it with --tokens ${window} at most`,
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

const windowOf = (config: ModelConfig): number | undefined => (config.family === 'llama' ? config.window : undefined);

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
    'A proof shows that `next[t]` is the token which the model finds most likely after `tokens[0]` to `tokens[t]`: exactly, in the',
    'fixed-point arithmetic written here and in the calibration. It publishes the tokens; `secret tokens` keeps them.',
    ...windowDocs(config),
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

/** What whoever changes T has to know. */
function windowDocs(config: ModelConfig): string[] {
  const window = windowOf(config);
  if (window === undefined) return [];
  return [`The model's attention sees ${window} tokens at most: with a larger T the program is another model.`];
}

/** The last name of a path, inside a comment. */
const lastName = (path: string): string =>
  quote(path.split(/[\\/]/).findLast((part) => part !== '') ?? path).slice(1, -1);
