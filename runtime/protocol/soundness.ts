/** The statistical part of a proof's soundness error, from its plan. */
import { FIELD_BITS } from '../../compiler/ir/numbers/limits.ts';
import type { Argument } from './argument.ts';

/**
 * -log2 of a bound on the probability that the challenges let a false statement pass, for a prover that cannot break the
 * commitments: the sum over all challenges of the degree of the condition in each, over r. The protocol's are counted while
 * planning; the rest are those of `opening-argument.ts` (theta, lambda, tau, the columns, phi) and `sigma.ts` (chi, e, the weights
 * of the form and of the group equations, two for every halving).
 */
export function soundnessBits({ pads, opening, columns, folds }: Argument): number {
  const variables = Math.log2(columns);
  const inOpening = pads.relations - 1 + variables * (opening.roundDegree + 1) + 3 * opening.tripleRows;
  const inSigma = opening.tripleRows + 2 + 1 + 2 + 2 * folds;
  return FIELD_BITS - Math.log2(pads.degree + inOpening + inSigma);
}
