/** One step of LoRA fine-tuning in a program: what is chosen, what is usual where nothing is, and the lines that say it. */
import { kindOf, requireArray, requireObject } from '../../compiler/ir/arguments.ts';
import { ArgumentError } from '../../compiler/ir/errors.ts';
import { requireCount } from '../files/arguments.ts';

/**
 * How weights change. Where nothing is said, AdamW has a rate of 2e-4 (that of LoRA, Hu et al. 2021, and QLoRA, Dettmers et
 * al. 2023), betas 0.9 and 0.999, and a decay of 0.01, as `torch.optim.AdamW`; mu is 0.9. With `limit` gradients are scaled down
 * where the norm of all of them is larger.
 */
export type OptimizerChoice =
  | {
      readonly name: 'adamw';
      readonly rate?: number;
      readonly beta1?: number;
      readonly beta2?: number;
      readonly decay?: number;
      readonly limit?: number;
    }
  | { readonly name: 'momentum'; readonly rate: number; readonly mu?: number; readonly limit?: number }
  | { readonly name: 'sgd'; readonly rate: number };

/** A new adapter. Its B is zero before the first step, so that training begins at the model as it is. */
export interface NewAdapter {
  /**
   * Projections by their names or ends of names, as PEFT's `target_modules`, or `all-linear`: all but the head. Default: those
   * that PEFT takes for the family.
   */
  readonly targets?: readonly string[];
  /** Default 8. */
  readonly rank?: number;
  /** Default: twice the rank. */
  readonly alpha?: number;
}

/** What is trained where no adapter is given, and how. */
export interface TrainingChoice extends NewAdapter {
  /** Sequences a step, each another row of the data; default 4. */
  readonly batch?: number;
  /** Rows of the data, which has to have as many; default 1024. */
  readonly examples?: number;
  /** Steps of a run at most; default 1000. */
  readonly steps?: number;
  readonly optimizer?: OptimizerChoice;
  /** Whether each step publishes its loss, from which guesses at the data can be tested. */
  readonly publicLoss?: boolean;
}

export interface Training {
  readonly adapter: NewAdapter;
  readonly batch: number;
  readonly examples: number;
  readonly steps: number;
  readonly optimizer: OptimizerChoice;
  readonly publicLoss: boolean;
}

/**
 * @param given adapters: one that is trained further, or none
 * @throws ArgumentError
 */
export function readTraining(choice: TrainingChoice, given: readonly unknown[]): Training {
  requireObject('training', choice, '{ targets, rank, alpha, batch, examples, steps, optimizer }');
  const { targets, rank, alpha, steps = 1000 } = choice;
  const { batch = Math.min(4, choice.examples ?? 4), examples = Math.max(1024, batch) } = choice;
  const { optimizer = { name: 'adamw' }, publicLoss = false } = choice;
  if (targets !== undefined) requireArray('training.targets', targets, 'names of projections');
  if (rank !== undefined) requireCount('training.rank', rank, 'a rank');
  if (alpha !== undefined && !(Number.isFinite(alpha) && alpha !== 0))
    throw new ArgumentError('training.alpha', 'a finite number other than 0', kindOf(alpha));
  requireCount('training.batch', batch, 'sequences of a step');
  requireCount('training.examples', examples, 'rows of the data');
  requireCount('training.steps', steps, 'steps of a run');
  if (batch > examples)
    throw new ArgumentError('training.batch', `at most the ${examples} rows of the data`, kindOf(batch));
  checkOptimizer(optimizer);
  if (given.length > 1) throw new ArgumentError('adapters', 'at most one, which is trained', kindOf(given));
  const told = Object.entries({ targets, rank, alpha }).find(([, value]) => value !== undefined);
  if (given.length > 0 && told !== undefined)
    throw new ArgumentError(`training.${told[0]}`, 'nothing, as the adapter says it', kindOf(told[1]));
  const adapter = {
    ...(targets === undefined ? {} : { targets }),
    ...(rank === undefined ? {} : { rank }),
    ...(alpha === undefined ? {} : { alpha }),
  };
  return { adapter, batch, examples, steps, optimizer, publicLoss };
}

/** What hyperparameters are, by their names. Optimizers round the rate to 30 fraction bits. */
const RANGES: Readonly<Record<string, readonly [what: string, holds: (value: number) => boolean]>> = {
  rate: ['a number from 1e-9 to 1', (v) => v >= 1e-9 && v <= 1],
  beta1: ['a number from 0 to 0.9999', (v) => v >= 0 && v <= 0.9999],
  beta2: ['a number above 0, below 1', (v) => v > 0 && v < 1],
  decay: ['a number from 0 to 1', (v) => v >= 0 && v <= 1],
  mu: ['a number from 0, below 1', (v) => v >= 0 && v < 1],
  limit: ['a number from 0.001 to 1000', (v) => v >= 1e-3 && v <= 1e3],
};

const OWN = { adamw: ['rate', 'beta1', 'beta2', 'decay', 'limit'], momentum: ['rate', 'mu', 'limit'], sgd: ['rate'] };

function checkOptimizer(optimizer: OptimizerChoice): void {
  requireObject('training.optimizer', optimizer, '{ name, rate }');
  const { name } = optimizer;
  if (!Object.hasOwn(OWN, name))
    throw new ArgumentError('training.optimizer.name', '"adamw", "momentum" or "sgd"', kindOf(name));
  const given = Object.entries(optimizer).filter(([key, value]) => key !== 'name' && value !== undefined);
  if (name !== 'adamw' && !given.some(([key]) => key === 'rate'))
    throw new ArgumentError('training.optimizer.rate', `a rate: none is usual for ${name}`, 'undefined');
  for (const [key, value] of given) {
    if (!OWN[name].includes(key))
      throw new ArgumentError(`training.optimizer.${key}`, `nothing, as ${name} has none`, kindOf(value));
    const [what, holds] = RANGES[key];
    if (!(typeof value === 'number' && holds(value)))
      throw new ArgumentError(`training.optimizer.${key}`, what, kindOf(value));
  }
}

/** The update as a call, `adamw(rate = 0.0002, ...)`, and the optimizer's name in the standard library. */
function optimizerCall(optimizer: OptimizerChoice): { readonly name: string; readonly call: string } {
  const called = (constants: Readonly<Record<string, number | string>>) => {
    const limit = optimizer.name === 'sgd' ? undefined : optimizer.limit;
    const name = limit === undefined ? optimizer.name : `clipped_${optimizer.name}`;
    const all = Object.entries(limit === undefined ? constants : { ...constants, limit });
    return { name, call: `${name}(${all.map(([constant, value]) => `${constant} = ${value}`).join(', ')})` };
  };
  switch (optimizer.name) {
    case 'adamw': {
      const { rate = 2e-4, beta1 = 0.9, beta2 = 0.999, decay = 0.01 } = optimizer;
      return called({ rate, beta1, beta2, eps: '2 ^ -27', decay });
    }
    case 'momentum':
      return called({ rate: optimizer.rate, mu: optimizer.mu ?? 0.9 });
    case 'sgd':
      return called({ rate: optimizer.rate });
  }
}

/** What stands before a model's layers: the rows of a step, and the data. */
export const DATA_LINES: readonly string[] = [
  'public rows[N]: index<M>',
  'secret corpus[M, T + 1]: index<V> from data "tokens"',
  'secret counts[M, T + 1]: index<2> from data "mask"',
];

/**
 * What stands after the scores.
 *
 * @param source what is trained
 * @returns the blocks that it uses, and the lines
 */
export function trainLines(
  { steps, optimizer, publicLoss }: Training,
  source: string,
): {
  readonly used: readonly string[];
  readonly lines: readonly string[];
} {
  const { name, call } = optimizerCall(optimizer);
  const lines = [
    'train {',
    `public step: index<${steps}>`,
    'target[i: N * T] = tokens[i div T, i mod T + 1]',
    'mask[i: N * T] = counts[rows[i div T], i mod T + 1]',
    `${publicLoss ? 'public ' : ''}loss = masked_cross_entropy(logits, target, mask)`,
    `minimize loss over ${source} by ${call}`,
    '}',
  ];
  return { used: ['masked_cross_entropy', name], lines };
}

/** What a program says of itself, after its first line. */
export const trainingDocs = ({ publicLoss }: Training): string[] => [
  'A proof shows one step of training: that the next adapter and the next state of the optimizer are what loss, gradients and update',
  'make of the last ones, exactly, in the fixed-point arithmetic written here and in the calibration. Its batch is the rows `rows` of',
  'hidden data: token t + 1 of a row is the target of position t, and counts where its mask is 1. There is no dropout.',
  publicLoss
    ? 'It publishes the step, the numbers of its rows and the loss, on which guesses at the data can be tested.'
    : 'It publishes the step and the numbers of its rows; `public loss` the loss too, on which guesses at the data can be tested.',
];
