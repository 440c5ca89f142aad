/**
 * Variables in mixed radix: `q[i div K, i mod K]` reads two digits of i. With a variable for each digit, what was floor
 * division is a sum of multiples of variables, which can be solved.
 */
import { foldIndex, variable, type IndexFold } from '../../ir/indices/expression.ts';
import { interval, type IndexBounds } from '../../ir/indices/interval.ts';
import { constant, linearParts, normalised, plus, product } from '../../ir/indices/normal.ts';
import type { IndexExpr } from '../../ir/tensor/program.ts';

/**
 * Normal form in which a floor division sees through nested strides: where j < 16, `(16 * r + j) div 32` is `r div 2`, and
 * `(16 * r + j) mod 32` is `16 * (r mod 2) + j`. That is what the views of one tensor in two shapes come to.
 */
export function unnested(bounds: IndexBounds): IndexFold<IndexExpr> {
  const normal = normalised(bounds);
  return {
    ...normal,
    div: (left, by) => {
      const { unit, high } = nesting(left, by, bounds) ?? { unit: 1, high: left };
      return normal.div(high, by / unit);
    },
    mod: (left, by) => {
      const found = nesting(left, by, bounds);
      if (found === undefined) return normal.mod(left, by);
      const { unit, high, low } = found;
      return plus(product(constant(unit), normal.mod(high, by / unit)), low);
    },
  };
}

/** `e = unit * high + low` with a unit above 1 that divides `by`, and 0 <= low < unit. */
function nesting(
  e: IndexExpr,
  by: number,
  bounds: IndexBounds,
): { readonly unit: number; readonly high: IndexExpr; readonly low: IndexExpr } | undefined {
  const parts = linearParts(e);
  const terms = [...parts.terms].sort((a, b) => Math.abs(b.factor) - Math.abs(a.factor));
  let unit = by;
  for (let count = 1; count <= terms.length; count++) {
    unit = gcd(unit, Math.abs(terms[count - 1].factor));
    if (unit === 1) return undefined;
    const whole = Math.floor(parts.constant / unit);
    const sum = (from: readonly (typeof terms)[number][], divisor: number, first: number): IndexExpr =>
      from.map(({ atom, factor }) => product(constant(factor / divisor), atom)).reduce(plus, constant(first));
    const low = sum(terms.slice(count), 1, parts.constant - whole * unit);
    const { lo, hi } = interval(low, bounds);
    if (lo >= 0 && hi < unit) return { unit, high: sum(terms.slice(0, count), unit, whole), low };
  }
  return undefined;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

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
