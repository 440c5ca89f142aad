/** The statistical part of a proof's soundness error, from its plan. */
import type { Argument } from './argument.ts';

const fieldBits = 254.857;

/**
 * -log2 of a bound on the probability that the challenges let a false statement pass, for a prover that cannot break the
 * commitments: the sum of degree / r over all challenges. A round's degree is at most one more than its messages, and
 * a round or a claim sends at least one; theta has one power per relation, and there are fewer relations than messages
 * and copies; the closing has 5 log C + 8 and four per row of triples; every leaf of a lookup counts twice, for alpha and beta.
 */
export function soundnessBits(argument: Argument, leaves = 0): number {
  const { labels, copies } = argument.pads;
  const degrees =
    2 * labels.length +
    (labels.length + copies.size) +
    5 * Math.log2(argument.columns) +
    8 +
    4 * argument.closing.tripleRows +
    2 * argument.folds;
  return fieldBits - Math.log2(degrees + 2 * leaves);
}
