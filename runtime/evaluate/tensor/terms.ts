/** Polynomials over tensors as sums of products. */
import type { Polynomial, Term } from '../../../compiler/ir/tensor/program.ts';
import { factorOf, maskOf, type FactorSource } from './operands.ts';
import type { SumTerm } from '../sums/sums.ts';

/** @param coefficientOf the number that a term's coefficient stands for: a bigint beside integers */
export const sumTermsOf = (
  p: Polynomial,
  outputs: readonly number[],
  source: FactorSource,
  coefficientOf: (term: Term) => bigint | number,
): SumTerm[] =>
  p.terms.map((term) => {
    const lengths = [...outputs, ...term.reduced.map((v) => v.size)];
    const factors = term.factors.map((f) => factorOf(f, lengths, source));
    const masks = term.guards.map((g) => maskOf(g, lengths, source));
    return { coefficient: coefficientOf(term), lengths, factors: [...factors, ...masks] };
  });
