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

/** Several reasons at once: a line each under the first, which says how many. */
export class FormatErrors extends FormatError {
  /** The first line, without the file. */
  readonly what: string;
  readonly errors: readonly FormatError[];

  constructor(file: string, what: string, errors: readonly FormatError[]) {
    const first = `${what}, for ${errors.length} reasons`;
    super(file, [first, ...errors.map((error) => error.message)].join('\n  '), 'mend all of them, each as it says');
    this.what = first;
    this.errors = errors;
  }
}

/** Gathers what is wrong, so that it is said at once. */
export class Refusals {
  readonly #found: FormatError[] = [];

  add(error: FormatError): void {
    this.#found.push(...(error instanceof FormatErrors ? error.errors : [error]));
  }

  /** What `body` returns; undefined where it throws a FormatError, which is kept. Other errors pass. */
  attempt<T>(body: () => T): T | undefined {
    try {
      return body();
    } catch (error) {
      this.#keep(error);
      return undefined;
    }
  }

  async attemptLater<T>(body: () => Promise<T>): Promise<T | undefined> {
    try {
      return await body();
    } catch (error) {
      this.#keep(error);
      return undefined;
    }
  }

  /** @throws FormatError: the one that was found, or all of them in a `FormatErrors`; afterwards there are none */
  throwAny(file: string, what: string): void {
    const found = this.#found.splice(0);
    if (found.length === 1) throw found[0];
    if (found.length > 1) throw new FormatErrors(file, what, found);
  }

  #keep(error: unknown): void {
    if (!(error instanceof FormatError)) throw error;
    this.add(error);
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
