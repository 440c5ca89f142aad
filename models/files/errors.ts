/** What is wrong with a file that came from outside, in words a reader can act on. */
import { ZklError } from '../../compiler/ir/errors.ts';

/**
 * A file that cannot be read as what it should be. The message is one line, `FILE: PROBLEM; REMEDY`, where the problem
 * names the thing inside the file.
 */
export class FormatError extends ZklError {
  readonly file: string;
  readonly problem: string;
  declare readonly remedy: string;

  constructor(file: string, problem: string, remedy: string) {
    super('FormatError', 'ZKL_FORMAT', `${file}: ${problem}; ${remedy}`, { remedy });
    this.file = file;
    this.problem = problem;
  }
}

const LONGEST = 120;

/** A name out of a file, quoted for a message: control characters escaped, cut after 120 characters. */
export const quote = (name: string): string =>
  JSON.stringify(name.length > LONGEST ? `${name.slice(0, LONGEST)}…` : name);

/** Some of the names, quoted, so that a message stays on one screen. */
export function quoteSome(names: Iterable<string>, most = 6): string {
  const all = [...names];
  if (all.length === 0) return 'none';
  const rest = all.length > most ? `, and ${all.length - most} more` : '';
  return all.slice(0, most).map(quote).join(', ') + rest;
}

export const formatShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** `x[0, 3]`: the entry at a row-major position. */
export function entryName(name: string, shape: readonly number[], position: number): string {
  const index: number[] = [];
  for (const length of [...shape].reverse()) {
    index.unshift(position % length);
    position = Math.floor(position / length);
  }
  return index.length === 0 ? name : `${name}${formatShape(index)}`;
}
