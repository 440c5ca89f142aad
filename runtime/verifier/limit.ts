/** What a verifier may spend: as people write it, and the error for a bundle that asks for more. */
import { ZklError } from '../../compiler/ir/errors.ts';

/** Milliseconds of one thread, and bytes. */
export interface Budget {
  readonly milliseconds: number;
  readonly bytes: number;
}

/** What a verifier spends unless it is told otherwise: enough for GPT-2 with 32 tokens, the rows of whose weights are most of it, once. */
export const defaultLimit: Budget = { milliseconds: 3000, bytes: 1e9 };

/** A bundle asks for more than a verifier was allowed to spend, or than any may: then the message names no limit that would do. */
export class BudgetError extends ZklError {
  /** All that it needs; if `isMore`, what was counted until that was too much to go on. */
  readonly needs: Budget;
  readonly limit: Budget;
  readonly isMore: boolean;

  /** `cap`: what no limit allows. */
  constructor(needs: Budget, limit: Budget, isMore: boolean, cap?: string) {
    const wanted = roundUp(needs);
    const enough = printLimit({ milliseconds: 1.5 * wanted.milliseconds, bytes: 1.5 * wanted.bytes });
    super(
      'BudgetError',
      'ZKL_BUDGET',
      cap ??
        `needs ${isMore ? 'more than' : 'about'} ${showTime(wanted.milliseconds)} and ${showBytes(wanted.bytes)}, over the limit of ${showTime(limit.milliseconds)} and ${showBytes(limit.bytes)}: --limit ${enough}`,
      cap !== undefined
        ? { remedy: 'no limit allows that: ask for a smaller program' }
        : {
            remedy: `if the bundle is worth that, allow it: --limit ${enough}, or the option \`limit\` of createVerifier`,
          },
    );
    this.needs = needs;
    this.limit = limit;
    this.isMore = isMore;
  }
}

/**
 * "200s,3G", "500ms", "2min,800M": a time, an amount of memory, or both; what is left out is the default.
 * @throws RangeError saying what is wrong with it
 */
export function parseLimit(text: string): Budget {
  const times: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 };
  const sizes: Readonly<Record<string, number>> = { k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
  const found: { milliseconds?: number; bytes?: number } = {};
  for (const part of text.split(',')) {
    const [, digits, name]: (string | undefined)[] = /^\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*$/.exec(part) ?? [];
    const kind = own(times, name) !== undefined ? 'milliseconds' : 'bytes';
    const by = own(times, name) ?? own(sizes, name?.replace(/B$/, ''));
    if (by === undefined || found[kind] !== undefined)
      throw new RangeError(`"${text}" is no limit; give a time and an amount of memory, e.g. 200s,3G`);
    found[kind] = Number(digits) * by;
  }
  return { ...defaultLimit, ...found };
}

const own = (units: Readonly<Record<string, number>>, name: string | undefined): number | undefined =>
  name !== undefined && Object.hasOwn(units, name) ? units[name] : undefined;

/** In the form that `parseLimit` reads. */
export const printLimit = ({ milliseconds, bytes }: Budget): string =>
  `${Math.max(1, Math.ceil(milliseconds / 1000))}s,${bytes >= 1e9 ? `${Math.ceil(bytes / 1e9)}G` : `${Math.max(1, Math.ceil(bytes / 1e6))}M`}`;

/** Two digits. */
const roundUp = ({ milliseconds, bytes }: Budget): Budget => {
  const two = (n: number): number => {
    const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, n))) - 1);
    return Math.ceil(n / step) * step;
  };
  return { milliseconds: two(milliseconds), bytes: two(bytes) };
};

const showTime = (ms: number): string =>
  ms < 1000 ? `${Math.ceil(ms)} ms` : `${Number((ms / 1000).toPrecision(3))} s`;
const showBytes = (n: number): string =>
  n < 1e9 ? `${Math.ceil(n / 1e6)} MB` : `${Number((n / 1e9).toPrecision(3))} GB`;
