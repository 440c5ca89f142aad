/** What the prover's functions are called with, checked before anything is computed. */
import {
  optional,
  requireBytes,
  requireDevice,
  requireFunction,
  requireObject,
  requireText,
  requireWeights,
} from '../../compiler/ir/arguments.ts';
import { ArgumentError } from '../../compiler/ir/errors.ts';
import { LONGEST_CONTEXT } from '../codec/files.ts';
import type { CommitOptions } from './commit.ts';
import type { ProveOptions, ProverOptions } from './index.ts';

const entropy = (argument: string, value: unknown): void => requireBytes(argument, value, 32);

function memory(argument: string, value: unknown): void {
  if (typeof value !== 'number' || !(value > 0))
    throw new ArgumentError(
      argument,
      'a number of bytes above 0',
      typeof value === 'number' ? `${value}` : typeof value,
    );
}

function checkDevice(options: unknown, where: string): void {
  requireObject(where, options, '{ device, ... }');
  requireDevice(`${where}.device`, (options as Partial<CommitOptions>).device, 'contract');
}

export function checkCommit(bundle: unknown, sourceName: unknown, options: CommitOptions): void {
  requireBytes('bundle', bundle);
  requireText('sourceName', sourceName);
  checkDevice(options, 'options');
  optional('options.entropy', options.entropy, entropy);
  optional('options.treeMemory', options.treeMemory, memory);
}

export function checkOpenCheck(bundle: unknown, commitment: unknown, options: unknown): void {
  requireBytes('bundle', bundle);
  requireBytes('commitment', commitment);
  checkDevice(options, 'options');
}

function openings(argument: string, value: unknown): void {
  if (!(value instanceof Map)) throw new ArgumentError(argument, 'a map of openings by output', typeof value);
  for (const [name, opening] of value as Map<string, unknown>) requireBytes(`${argument}, ${name}`, opening);
}

/** Weights are checked when it is known which of them are read. */
export function checkProver(bundle: unknown, options: ProverOptions): ProverOptions {
  requireBytes('bundle', bundle);
  checkDevice(options, 'options');
  if (!Array.isArray(options.sources))
    throw new ArgumentError('options.sources', 'an array of { opening, weights }', typeof options.sources);
  for (const [i, given] of (options.sources as unknown[]).entries()) {
    const at = `options.sources[${i}]`;
    requireObject(at, given, '{ opening, weights }');
    const { source, opening, weights } = given as Partial<ProverOptions['sources'][number]>;
    optional(`${at}.source`, source, requireText);
    requireBytes(`${at}.opening`, opening);
    requireWeights(`${at}.weights`, weights, []);
  }
  optional('options.treeMemory', options.treeMemory, memory);
  return options;
}

export function checkProve(options: ProveOptions): void {
  requireObject('options', options, '{ context, ... }');
  optional('options.context', options.context, requireBytes);
  const { context } = options as { readonly context?: Uint8Array };
  if (context !== undefined && context.length > LONGEST_CONTEXT)
    throw new ArgumentError(
      'options.context',
      `at most ${LONGEST_CONTEXT} bytes`,
      `${context.length}`,
      'give a digest of it',
    );
  optional('options.entropy', options.entropy, entropy);
  optional('options.outputs', options.outputs, openings);
  optional('options.progress', options.progress, requireFunction);
}
