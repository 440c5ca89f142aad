/**
 * Variables in mixed radix: `q[i div K, i mod K]` reads two digits of i. With a variable for each digit, what was floor
 * division is a sum of multiples of variables, which can be solved.
 */
import { foldIndex, variable, type IndexFold } from '../../ir/indices/expression.ts';
import { constant, plus, product } from '../../ir/indices/normal.ts';
import type { IndexExpr } from '../../ir/tensor/program.ts';

/** A variable as a sum of `unit * digit`, least unit first; the digits are new variables. */
export interface Radix {
  readonly digits: readonly { readonly id: number; readonly unit: number }[];
  readonly value: IndexExpr;
  /** Whether digits together reach beyond the variable's range. */
  readonly beyond: boolean;
}

/** What a chain of divisions and remainders of one variable is: its digits from `unit` on, up to `end` if there is one. */
interface Chain {
  readonly id: number;
  readonly unit: number;
  readonly end?: number;
}

/** Where the digits of each variable end, by variable: all units and ends of chains over it. */
function boundariesOf(expressions: readonly IndexExpr[]): Map<number, Set<number>> {
  const found = new Map<number, Set<number>>();
  const note = (chain: Chain | undefined): void => {
    if (chain === undefined) return;
    const own = found.get(chain.id) ?? new Set();
    found.set(chain.id, own);
    own.add(chain.unit);
    if (chain.end !== undefined) own.add(chain.end);
  };
  const chains: IndexFold<Chain | undefined> = {
    constant: () => undefined,
    variable: (id) => ({ id, unit: 1 }),
    add: () => undefined,
    sub: () => undefined,
    mul: () => undefined,
    div: (left, by) => {
      const made = left && { ...left, unit: left.unit * by };
      note(made);
      return made;
    },
    mod: (left, by) => {
      const end = left && left.unit * by;
      const made = left && { ...left, end: left.end === undefined || left.end > end! ? end! : left.end };
      note(made);
      return made;
    },
    entry: (_, at, fold) => {
      at.forEach(fold);
      return undefined;
    },
  };
  for (const e of expressions) foldIndex(e, chains);
  return found;
}

/**
 * Variables of these expressions that stand under a floor division, as digits.
 *
 * @param size of a variable
 * @param fresh makes a variable of a size
 * @returns by variable; undefined where the divisors of one do not divide each other
 */
export function radixes(
  expressions: readonly IndexExpr[],
  size: (id: number) => number,
  fresh: (like: number, size: number) => number,
): Map<number, Radix> | undefined {
  const made = new Map<number, Radix>();
  for (const [id, boundaries] of boundariesOf(expressions)) {
    const ends = [...boundaries].filter((b) => b > 1 && b < size(id)).sort((a, b) => a - b);
    if (ends.length === 0) continue;
    const units = [1, ...ends];
    if (units.some((unit, k) => k > 0 && unit % units[k - 1] !== 0)) return undefined;
    const digits = units.map((unit, k) => {
      const length = k + 1 < units.length ? units[k + 1] / unit : Math.ceil(size(id) / unit);
      return { id: fresh(id, length), unit };
    });
    const value = digits.map((d) => product(constant(d.unit), variable(d.id))).reduce(plus);
    const last = units[units.length - 1];
    made.set(id, { digits, value, beyond: size(id) % last !== 0 });
  }
  return made;
}
