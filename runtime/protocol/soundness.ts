/** The statistical part of a proof's soundness error, from its plan. */
import { fieldBits } from '../../compiler/ir/numbers/limits.ts';
import type { Argument } from './argument.ts';

/**
 * -log2 of a bound on the probability that the challenges let a false statement pass, for a prover that cannot break the
 * commitments: the sum over all challenges of the degree of the condition in each, over r. The text's are counted while
 * planning; the rest are those of `closing.ts` (theta, lambda, tau, the columns, phi) and `sigma.ts` (chi, e, the weights
 * of the form and of the group equations, two for every halving).
 */
export function soundnessBits({ pads, closing, columns, folds }: Argument): number {
  const variables = Math.log2(columns);
  const inClosing = pads.relations - 1 + variables * (closing.roundDegree + 1) + 3 * closing.tripleRows;
  const inSigma = closing.tripleRows + 2 + 1 + 2 + 2 * folds;
  return fieldBits - Math.log2(pads.degree + inClosing + inSigma);
}
