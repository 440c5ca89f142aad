/** From a model of Hugging Face, with adapters or without, to a program of a page that proves what it computes. */
import { fractionBits } from '../calibrate/scales.ts';
import { requireCount, requireOpened } from '../files/arguments.ts';
import { hasTensor, requireTensor, type Checkpoint } from '../files/checkpoint.ts';
import { FormatError, quote, quoteSome, Refusals } from '../files/errors.ts';
import { notationOf, updatesOf, type ModelAdapter } from './adapters.ts';
import { bodyOf, partsOf } from './families/index.ts';
import type { Parts } from './families/parts.ts';
import { HEAD_BITS, type Body, type Writer } from './writer.ts';
import { readModelConfig, type ModelConfig } from '../config/model.ts';
import { newAdapter } from './targets.ts';
import { DATA_LINES, trainingDocs, trainLines, readTraining, type Training, type TrainingChoice } from './training.ts';

export interface ImportedModel {
  readonly text: string;
  readonly config: ModelConfig;
  /** Projections that adapters change. */
  readonly adapted: readonly string[];
  /** Those that were given, or the one that is to be trained. */
  readonly adapters: readonly ModelAdapter[];
}

/**
 * A program for `tokens` tokens at a time, not yet laid out: of what the model says, or of a step of training.
 *
 * @param given adapters; at most one where something is trained: it is trained further; without one, a new adapter is
 * @param choice where something is trained
 * @param refusals what is known to stand against the import already
 * @throws FormatError for a model or an adapter that cannot be imported, naming all that stands against it; ArgumentError
 */
export async function importModel(
  checkpoint: Checkpoint,
  given: readonly ModelAdapter[],
  tokens: number,
  refusals: Refusals = new Refusals(),
  choice?: TrainingChoice,
): Promise<ImportedModel> {
  requireOpened('checkpoint', checkpoint, 'storedName', 'openCheckpoint');
  requireCount('tokens', tokens, 'tokens of a proof');
  const training = choice && readTraining(choice, given);
  const config = readModelConfig(checkpoint.config, checkpoint.configFile, refusals);
  if (config !== undefined) checkTokens(config, tokens, checkpoint.configFile, refusals);
  const parts = config && partsOf(config);
  if (parts) checkTensors(checkpoint, parts, config, refusals);
  const made =
    training && parts && given.length === 0
      ? newAdapter(training.adapter, config, parts, checkpoint.name, refusals)
      : undefined;
  const adapters = made ? [made] : given;
  const updates = parts && updatesOf(adapters, parts.projections, refusals);
  refusals.throwAny(checkpoint.name, 'it cannot be imported');
  if (!config || !parts || !updates) throw new Error('internal error: nothing was refused, and nothing read');

  const frac = fractionBits(await checkpoint.largest(parts.head), HEAD_BITS);
  const context: Writer = {
    config,
    tokens,
    headType: `fixed<${HEAD_BITS}, ${frac}>`,
    updates,
    training,
    sequences: training ? 'N' : '1',
    rows: training ? 'N * T' : 'T',
    notation: notationOf(adapters),
    used: new Set(),
  };
  const body = bodyOf(context, config);
  return {
    text: assemble(context, checkpoint, { adapters, isNew: made !== undefined }, body),
    config,
    adapted: [...updates.keys()],
    adapters,
  };
}

function checkTokens({ positions, window }: ModelConfig, tokens: number, file: string, refusals: Refusals): void {
  if (tokens > positions)
    refusals.add(
      new FormatError(
        file,
        `the model has ${positions} positions, fewer than ${tokens} tokens`,
        `import it with --tokens ${positions} at most`,
      ),
    );
  if (window !== undefined && tokens > window)
    refusals.add(
      new FormatError(
        file,
        `"sliding_window" is ${window}: attention is cut to a window of fewer than ${tokens} tokens`,
        `import it with --tokens ${window} at most`,
      ),
    );
}

/** Masks and angles that older checkpoints hold, and a copy of a tied head. */
const BUFFERS = /(?:^|\.)(?:(?:attn|attention)\.(?:masked_)?bias|rotary_emb\.inv_freq)$/;

/** Tensors that a message names before it counts the rest. */
const MOST = 3;

function checkTensors(checkpoint: Checkpoint, { tensors }: Parts, { tied }: ModelConfig, refusals: Refusals): void {
  const wanted = [...tensors].filter(([name, shape]) => !hasTensor(checkpoint, name, shape));
  for (const [name, shape] of wanted.slice(0, MOST)) refusals.attempt(() => requireTensor(checkpoint, name, shape));
  if (wanted.length > MOST)
    refusals.add(
      new FormatError(
        checkpoint.name,
        `${wanted.length - MOST} more tensors are missing or of another shape`,
        `are they and ${checkpoint.configFile} of one model?`,
      ),
    );
  const stored = new Set([...tensors.keys()].map((name) => checkpoint.storedName(name)));
  const further = [...checkpoint.tensors.keys()].filter(
    (name) => !stored.has(name) && !BUFFERS.test(name) && !(tied && name === 'lm_head.weight'),
  );
  if (further.length > 0)
    refusals.add(
      new FormatError(
        checkpoint.name,
        `the architecture has no place for ${quoteSome(further, MOST)}`,
        `is ${quote(checkpoint.configFile)} of this model?`,
      ),
    );
}

interface Adapted {
  readonly adapters: readonly ModelAdapter[];
  readonly isNew: boolean;
}

function assemble(w: Writer, checkpoint: Checkpoint, { adapters, isNew }: Adapted, body: Body): string {
  const { config, tokens, used, notation, training } = w;
  const trained = training && trainLines(training, adapters[0].source);
  for (const block of trained?.used ?? []) used.add(block);
  const lengths = training ? [`M = ${training.examples}`, `N = ${training.batch}`] : [];
  const dims = [
    ...[...lengths, `T = ${tokens}`, `V = ${config.vocabulary}`, `D = ${config.width}`],
    ...[...body.dims, ...notation.dims],
  ];
  const sources = [...adapters.map((a) => a.source).filter((s) => s !== 'adapter'), ...(training ? ['data'] : [])];
  const docs = [
    ...(training ? trainedDocs(w, training, checkpoint, adapters) : servedDocs(w, checkpoint, adapters)),
    ...windowDocs(config),
    ...(isNew ? [] : adapters.map((adapter) => adapterDocs(adapter, training !== undefined))),
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
    ...(trained ? DATA_LINES : ['public tokens[T]: index<V>']),
    ...body.lines,
    ...(trained ? ['', ...trained.lines] : []),
    '}',
    '',
  ].join('\n');
}

function servedDocs({ config, tokens }: Writer, { name }: Checkpoint, adapters: readonly ModelAdapter[]): string[] {
  const what =
    adapters.length === 0
      ? ''
      : adapters.length === 1
        ? ' with a secret adapter'
        : ` with ${adapters.length} secret adapters`;
  return [
    `${config.architecture} of ${lastName(name)}${what}, on ${tokens} tokens.`,
    '',
    'A proof shows that `next[t]` is the token which the model finds most likely after `tokens[0]` to `tokens[t]`: exactly, in the',
    'fixed-point arithmetic written here and in the calibration. It publishes the tokens; `secret tokens` keeps them.',
  ];
}

function trainedDocs(
  { config, tokens }: Writer,
  training: Training,
  { name }: Checkpoint,
  [{ description }]: readonly ModelAdapter[],
): string[] {
  const count = description.modules.length;
  const projections = count === 1 ? 'one projection' : `${count} projections`;
  const { batch } = training;
  const sequences = batch === 1 ? 'a sequence' : `${batch} sequences`;
  return [
    `${config.architecture} of ${lastName(name)}, fine-tuned by a secret adapter of ${projections} on ${sequences} of ${tokens} tokens a step.`,
    '',
    ...trainingDocs(training),
  ];
}

function adapterDocs({ source, fileName, description }: ModelAdapter, isTrained: boolean): string {
  const folder = lastName(fileName.replace(/\/[^/]*$/, ''));
  return isTrained
    ? `The run starts from the weights of ${folder}.`
    : `The weights of \`${source}\`, for ${description.modules.length} projections, are those of ${folder}.`;
}

/** What whoever changes T has to know. */
function windowDocs(config: ModelConfig): string[] {
  if (config.window === undefined) return [];
  return [`The model's attention sees ${config.window} tokens at most: with a larger T the program is another model.`];
}

/** The last name of a path, inside a comment. */
const lastName = (path: string): string =>
  quote(path.split(/[\\/]/).findLast((part) => part !== '') ?? path).slice(1, -1);
