/** `--limit`: what a bundle from somebody else may cost. */
import { parseLimit, type Budget } from '../../../runtime/verifier/index.ts';
import type { Arguments } from './arguments.ts';
import { CliError } from '../errors.ts';

/** Undefined: the default. @throws CliError */
export function limitOf(args: Arguments): Budget | undefined {
  const text = args.value('limit');
  if (text === undefined) return undefined;
  try {
    return parseLimit(text);
  } catch (error) {
    if (error instanceof RangeError)
      throw new CliError(`--limit is "${text}"`, 'give a time, an amount of memory, or both, e.g. 200s,3G');
    throw error;
  }
}
