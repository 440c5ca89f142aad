/** What index arithmetic is worth: at one point, and as a function of the point. */
import type { IndexExpr, TensorId } from '../tensor/program.ts';
import { foldIndex, remainder, type IndexFold } from './expression.ts';

export type IndexFunction<P> = (at: P) => number;

const refuse = (): never => {
  throw new Error('internal error: an index taken from a tensor');
};

/**
 * The value where `variable` gives the variables' values.
 * @throws Error for an entry of an index tensor
 */
export const evaluateIndex = (e: IndexExpr, variable: (id: number) => number): number =>
  foldIndex<number>(e, {
    constant: (value) => value,
    variable,
    add: (left, right) => left + right,
    sub: (left, right) => left - right,
    mul: (left, right) => left * right,
    div: (left, by) => Math.floor(left / by),
    mod: remainder,
    entry: refuse,
  });

/** How a point says what a variable is, and what an entry of an index tensor, given the functions of its indices. */
export interface Reads<P> {
  variable(id: number): IndexFunction<P>;
  /** @throws Error by default: where programs are proved, index arithmetic reads no tensors */
  entry?(tensor: TensorId, at: readonly IndexFunction<P>[]): IndexFunction<P>;
}

/** Makes functions of expressions, for many points. */
export function indexFunctions<P>({ variable, entry = refuse }: Reads<P>): (e: IndexExpr) => IndexFunction<P> {
  const fold: IndexFold<IndexFunction<P>> = {
    constant: (value) => () => value,
    variable,
    add: (left, right) => (at) => left(at) + right(at),
    sub: (left, right) => (at) => left(at) - right(at),
    mul: (left, right) => (at) => left(at) * right(at),
    div: (left, by) => (at) => Math.floor(left(at) / by),
    mod: (left, by) => (at) => remainder(left(at), by),
    entry: (tensor, at, make) => entry(tensor, at.map(make)),
  };
  return (e) => foldIndex(e, fold);
}

/** Of points that are lists of values, by variable. */
export const listed =
  (id: number): IndexFunction<readonly number[]> =>
  (at) =>
    at[id];

/**
 * The expression as a function of the variables' values.
 * @throws Error for an entry of an index tensor
 */
export const indexFunction: (e: IndexExpr) => IndexFunction<readonly number[]> = indexFunctions({ variable: listed });
