/** `zkl import --train`: what is to be trained, and how. */
import type { OptimizerChoice, TrainingChoice } from '../../../models/import/training.ts';
import { didYouMean } from '../../host/suggest.ts';
import { CliError } from '../errors.ts';
import type { Arguments } from '../parse/arguments.ts';

/** Options that only have a meaning beside --train. */
export const TRAINING_OPTIONS: readonly string[] = [
  ...['targets', 'rank', 'alpha', 'batch', 'examples', 'steps', 'optimizer', 'rate', 'betas', 'mu', 'decay'],
  ...['clip', 'public-loss'],
];

/** Of a new adapter; one that is given says them. */
const OF_NEW = ['targets', 'rank', 'alpha'];

const HYPERPARAMETERS = { adamw: ['rate', 'betas', 'decay', 'clip'], momentum: ['rate', 'mu', 'clip'], sgd: ['rate'] };
type Name = keyof typeof HYPERPARAMETERS;

const COUNT = 1_000_000;

/** @throws CliError */
export function trainingOf(args: Arguments): TrainingChoice | undefined {
  if (!args.flag('train')) {
    const given = TRAINING_OPTIONS.find((name) => args.flag(name));
    if (given === undefined) return undefined;
    throw new CliError(`--${given} has no meaning without --train`, `add --train, or leave --${given} out`);
  }
  checkAdapters(args);
  const [rank, batch, examples, steps] = ['rank', 'batch', 'examples', 'steps'].map((n) => args.integer(n, 1, COUNT));
  if (batch !== undefined && examples !== undefined && batch > examples)
    throw new CliError(`--batch ${batch} is more than --examples ${examples}`, 'a step takes different rows');
  const targets = args
    .value('targets')
    ?.split(',')
    .map((target) => target.trim());
  if (targets?.includes(''))
    throw new CliError(
      `--targets is "${args.value('targets')}"`,
      'write names with commas between them: q_proj,v_proj',
    );
  const alpha = real(args, 'alpha', 'a number other than 0', (v) => v !== 0);
  return {
    ...defined({ targets, rank, alpha, batch, examples, steps }),
    optimizer: optimizerOf(args),
    publicLoss: args.flag('public-loss'),
  };
}

function checkAdapters(args: Arguments): void {
  const adapters = args.list('adapter');
  if (adapters.length > 1)
    throw new CliError(
      `--train takes one adapter, not ${adapters.length}`,
      'merge the others into the model with `merge_and_unload()`, and train on that',
    );
  const told = OF_NEW.find((name) => args.flag(name));
  if (adapters.length > 0 && told !== undefined)
    throw new CliError(
      `--${told} is given beside --adapter ${adapters[0]}, which says it`,
      `leave --${told} out, or leave --adapter out to train a new adapter`,
    );
}

/** @throws CliError */
function optimizerOf(args: Arguments): OptimizerChoice {
  const names = Object.keys(HYPERPARAMETERS);
  const name = args.value('optimizer') ?? 'adamw';
  if (!isName(name))
    throw new CliError(`--optimizer is "${name}"`, didYouMean(name, names) ?? `there are ${names.join(', ')}`);
  const foreign = ['rate', 'betas', 'mu', 'decay', 'clip'].find(
    (o) => args.flag(o) && !HYPERPARAMETERS[name].includes(o),
  );
  if (foreign !== undefined)
    throw new CliError(`${name} has no --${foreign}`, `it has --${HYPERPARAMETERS[name].join(', --')}`);
  const rate = real(args, 'rate', 'a number from 1e-9 to 1', (v) => v >= 1e-9 && v <= 1);
  const limit = real(args, 'clip', 'a number from 0.001 to 1000', (v) => v >= 1e-3 && v <= 1e3);
  if (name === 'adamw') {
    const decay = real(args, 'decay', 'a number from 0 to 1', (v) => v >= 0 && v <= 1);
    return { name, ...defined({ rate, decay, limit }), ...betasOf(args) };
  }
  if (rate === undefined)
    throw new CliError(`--rate is missing: no rate is usual for ${name}`, 'give one: --rate 0.05, for instance');
  const mu = real(args, 'mu', 'a number from 0, below 1', (v) => v >= 0 && v < 1);
  return name === 'momentum' ? { name, rate, ...defined({ mu, limit }) } : { name, rate };
}

const isName = (name: string): name is Name => Object.hasOwn(HYPERPARAMETERS, name);

function betasOf(args: Arguments): { beta1?: number; beta2?: number } {
  const text = args.value('betas');
  if (text === undefined) return {};
  const [beta1 = NaN, beta2 = NaN, ...rest] = text.split(',').map(decimal);
  if (rest.length > 0 || !(beta1 >= 0 && beta1 <= 0.9999 && beta2 > 0 && beta2 < 1))
    throw new CliError(`--betas is "${text}"`, 'give two numbers below 1, such as 0.9,0.999');
  return { beta1, beta2 };
}

const decimal = (text: string): number => (/^-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? Number(text) : NaN);

function real(args: Arguments, name: string, what: string, holds: (v: number) => boolean): number | undefined {
  const text = args.value(name);
  if (text === undefined) return undefined;
  const value = decimal(text);
  if (Number.isFinite(value) && holds(value)) return value;
  throw new CliError(`--${name} is "${text}"`, `give ${what}`);
}

/** Without what is undefined. */
function defined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
