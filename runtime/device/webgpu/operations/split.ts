/**
 * Large expressions in parts: compilers inline every field product, and a shader of a hundred of them takes seconds to
 * compile, or never does. Sums are cut between their terms; parts of the same shape share one kernel, as each numbers
 * its tables and constants from 0.
 */
import {
  add,
  constant,
  evaluate,
  mul,
  print,
  products,
  sub,
  table,
  type Expression,
} from '../../../kernels/expression.ts';

/** The expression is the sum of its parts, each taken with its sign. */
export interface Part {
  readonly expression: Expression;
  readonly negative: boolean;
  /** Which table (constant) of the whole is the part's number k. */
  readonly tables: readonly number[];
  readonly constants: readonly number[];
}

interface Term {
  readonly negative: boolean;
  readonly expression: Expression;
}

/** Parts of at most `most` products each, where the expression has places to cut it. */
export function splitSum(e: Expression, most: number): Part[] {
  if (products(e) <= most) return [part([{ negative: false, expression: e }])];
  const terms = termsOf(e, most, false);
  return [false, true].flatMap((negative) => {
    const groups: Term[][] = [];
    let room = 0;
    for (const t of terms.filter((t) => t.negative === negative)) {
      const cost = Math.max(1, products(t.expression));
      if (cost > room) {
        groups.push([]);
        room = most;
      }
      groups.at(-1)!.push(t);
      room -= cost;
    }
    return groups.map(part);
  });
}

/** The terms of a sum; a product with a long sum is distributed over it. */
function termsOf(e: Expression, most: number, negative: boolean): Term[] {
  if (e.kind === 'add' || e.kind === 'sub')
    return [...termsOf(e.left, most, negative), ...termsOf(e.right, most, e.kind === 'sub' ? !negative : negative)];
  if (e.kind === 'mul' && products(e) > most) {
    const { left, right } = e;
    const [sum, factor, onLeft] = products(right) >= products(left) ? [right, left, true] : [left, right, false];
    const inner = termsOf(sum, most, negative);
    if (inner.length > 1)
      return inner.map((t) => ({
        negative: t.negative,
        expression: onLeft ? mul(factor, t.expression) : mul(t.expression, factor),
      }));
  }
  return [{ negative, expression: e }];
}

/** The sum of terms of one sign, renumbered. */
function part(terms: readonly Term[]): Part {
  const [tables, constants]: [number[], number[]] = [[], []];
  const number = (list: number[], i: number): number => {
    const found = list.indexOf(i);
    return found >= 0 ? found : list.push(i) - 1;
  };
  const renumbered = terms.map((t) =>
    evaluate<Expression>(t.expression, {
      table: (i) => table(number(tables, i)),
      constant: (i) => constant(number(constants, i)),
      add,
      sub,
      mul,
    }),
  );
  const expression = interned(renumbered.reduce((a, b) => add(a, b)));
  return { expression, negative: terms[0].negative, tables, constants };
}

/** One object for each text, so that what is remembered of it is. */
const texts = new Map<string, Expression>();
function interned(e: Expression): Expression {
  const text = print(e);
  const have = texts.get(text);
  if (have) return have;
  texts.set(text, e);
  return e;
}

/** Points in groups of `size` at most. */
export function splitPoints<P>(points: readonly P[], size: number): P[][] {
  const out: P[][] = [];
  for (let i = 0; i < points.length; i += size) out.push(points.slice(i, i + size));
  return out;
}

const perExpression = new WeakMap<Expression, Map<number, Part[]>>();

/** As `splitSum`, made once for each expression object. */
export function partsOf(e: Expression, most: number): readonly Part[] {
  const own = perExpression.get(e) ?? new Map<number, Part[]>();
  perExpression.set(e, own);
  const parts = own.get(most) ?? splitSum(e, most);
  own.set(most, parts);
  return parts;
}
