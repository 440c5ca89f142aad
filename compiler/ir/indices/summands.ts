/** Index arithmetic as a sum of functions of one variable each, which nearly all of it is. */
import type { IndexExpr } from '../tensor/program.ts';
import { evaluateIndex } from './evaluate.ts';
import { foldIndex, readsData, type IndexFold } from './expression.ts';

/** `factor` times an expression of `variable` alone, or of none. */
export interface Summand {
  readonly factor: number;
  readonly of: IndexExpr;
  readonly variable?: number;
}

/** The expression as the sum of these; undefined where products, quotients or entries mix variables. */
export function summands(e: IndexExpr): Summand[] | undefined {
  const found: Summand[] = [];
  const add = (of: IndexExpr, factor: number): boolean => {
    const only = foldIndex(of, onlyVariable);
    if (only !== SEVERAL) {
      found.push(only === NONE ? { factor, of } : { factor, of, variable: only });
      return true;
    }
    switch (of.kind) {
      case 'add':
        return add(of.left, factor) && add(of.right, factor);
      case 'sub':
        return add(of.left, factor) && add(of.right, -factor);
      case 'mul': {
        const [left, right] = [knownValue(of.left), knownValue(of.right)];
        if (left !== undefined) return add(of.right, factor * left);
        return right !== undefined && add(of.left, factor * right);
      }
      default:
        return false;
    }
  };
  return add(e, 1) ? found : undefined;
}

const NONE = -1;
const SEVERAL = -2;
const join = (a: number, b: number): number => (a === b || b === NONE ? a : a === NONE ? b : SEVERAL);

/** The variable that is the only one, `NONE` or `SEVERAL`. */
const onlyVariable: IndexFold<number> = {
  constant: () => NONE,
  variable: (id) => id,
  add: join,
  sub: join,
  mul: join,
  div: (left) => left,
  mod: (left) => left,
  entry: (_, at, fold) => at.map(fold).reduce(join, NONE),
};

/** What an expression is whatever the variables are, if it has none and reads no data. */
function knownValue(e: IndexExpr): number | undefined {
  if (e.kind === 'const') return e.value;
  return foldIndex(e, onlyVariable) === NONE && !readsData(e) ? evaluateIndex(e, () => 0) : undefined;
}
