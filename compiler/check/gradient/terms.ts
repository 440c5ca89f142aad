/** Equations of the program as polynomials of real values over the checker's variables again. */
import { variable } from '../../ir/indices/expression.ts';
import { divide, multiply, rational } from '../../ir/numbers/rational.ts';
import type { IndexExpr, IndexVar, Polynomial } from '../../ir/tensor/program.ts';
import { addVariable } from '../context.ts';
import type { Session } from '../context.ts';
import { renameFactor, renameGuard } from '../numbers/polynomial.ts';
import type { Poly } from '../numbers/polynomial.ts';

/** New variables of these names and sizes. */
export const freshVariables = (session: Session, like: readonly IndexVar[]): number[] =>
  like.map(({ name, size }) => addVariable(session, name, size));

/**
 * A polynomial of an equation as real values: what it is in integers, times its scale, over those of its factors.
 *
 * @param outputs the variables for the equation's indices
 */
export function realTerms(session: Session, { terms, scale }: Polynomial, outputs: readonly number[]): Poly {
  return terms.map((term) => {
    const reduced = freshVariables(session, term.reduced);
    const order = [...outputs, ...reduced];
    const replace = (id: number): IndexExpr => variable(order[id]);
    const units = term.factors.reduce((u, f) => multiply(u, session.tensors[f.tensor].scale), rational(1));
    return {
      coefficient: divide(multiply(rational(term.coefficient), scale), units),
      reduced,
      guards: term.guards.map((g) => renameGuard(g, replace)),
      factors: term.factors.map((f) => renameFactor(f, replace)),
    };
  });
}
