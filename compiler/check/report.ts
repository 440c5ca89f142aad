/** Collects diagnostics. A pass reports, poisons what it was working on, and goes on with the next statement. */
import { distance } from 'fastest-levenshtein';
import type { Code, Problem } from '../../grammar/codes/index.ts';
import { diagnose, type Details, type Diagnostic, type Label } from '../../grammar/diagnostic.ts';
import type { Span } from '../../grammar/span.ts';
import { IndexOverflow } from '../ir/indices/normal.ts';
import { NumberTooLarge } from '../ir/numbers/rational.ts';
import { TooManyTerms } from './numbers/polynomial.ts';

/** Thrown after a report: the statement at hand means nothing. Caught where statements are walked, never outside. */
export class Halt extends Error {}

/** Thrown where going on would take unbounded time or memory. */
export class Abort extends Error {}

/** Runs `read`; whether it came through. What it reported as wrong, or what left the numbers computed with, ends it. */
export function attempt(reporter: Reporter, span: Span, read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof NumberTooLarge || error instanceof IndexOverflow || error instanceof TooManyTerms)
      reporter.report({ code: 'ZKL331', span, label: error.message, help: 'name an inner part' });
    else if (!(error instanceof Halt)) throw error;
    return false;
  }
}

export class Reporter {
  readonly diagnostics: Diagnostic[] = [];
  /** The block calls that the statement at hand stands in, outermost first. */
  readonly calls: Span[];
  readonly #seen = new Set<string>();

  constructor(calls: readonly Span[] = []) {
    this.calls = [...calls];
  }

  /** A block is checked at every call; a mistake in its text is one mistake. */
  report(problem: Problem & Details): void {
    const d = diagnose(problem);
    const calls = this.calls.map((call): Label => ({ span: call, text: 'in this call' })).reverse();
    const notes = [...(d.notes ?? []), ...calls];
    this.#add({ ...d, ...(notes.length > 0 ? { notes } : {}) });
  }

  /** Reports an error and gives up on the statement at hand. */
  fail(problem: Problem & Details): never {
    this.report(problem);
    throw new Halt(problem.code);
  }

  /** Takes over what another reporter has collected, but for what has one of the codes in `without`. */
  merge(other: Reporter, without: readonly Code[] = []): void {
    for (const d of other.diagnostics) if (!without.includes(d.code)) this.#add(d);
  }

  get failed(): boolean {
    return this.diagnostics.some((d) => d.severity === 'error');
  }

  #add(d: Diagnostic): void {
    const key = `${d.code} ${d.span.source} ${d.span.start} ${d.span.end} ${d.title}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.diagnostics.push(d);
  }
}

/** The candidate nearest to `name`, if it is within a third of the name's length (at least one letter). */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const d = distance(name, candidate);
    if (d < least && d < Math.max(name.length, candidate.length)) {
      best = candidate;
      least = d;
    }
  }
  return best;
}

/** `help` and `fix` for a name that may be a slip of the pen. */
export function didYouMean(name: string, span: Span, candidates: Iterable<string>): Pick<Details, 'help' | 'fix'> {
  const near = nearest(name, candidates);
  return near === undefined ? {} : { help: `did you mean \`${near}\`?`, fix: { span, text: near } };
}

/** `1 entry`, `2 entries`. */
export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** `[2, 3]` as people write shapes. */
export const formatShape = (shape: readonly number[]): string =>
  shape.length === 0 ? 'a scalar' : `[${shape.join(', ')}]`;
