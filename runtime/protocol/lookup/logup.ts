/**
 * Lookups: that every looked-up value is an entry of its table (LogUp; Haböck, ePrint 2022/1530). A value v of table id, with w beside it,
 * has the fingerprint alpha - v - beta id - beta^2 w, and
 *   sum over values 1 / fingerprint  =  sum over table entries multiplicity / fingerprint,
 * fractions that a binary tree adds up (Papini and Haböck, ePrint 2023/1284), so that no inverse is committed.
 *
 * # Soundness
 * Leaves, rounded up to a power of two, over r for alpha and beta, twice that for programs, whose tables may have pairs; and that of the tree.
 *
 * # Files
 * Here: how leaves are numbered. `fraction-tree.ts`: the sum. `tensor-lookups.ts`: lookups of a program, which leave a claim about
 * tensors for `sumcheck/claim-reduction.ts`. `row-lookups.ts`: those of a range proof, which leave openings of rows.
 * Prover, in `prover/lookup/`: `tensor-lookups.ts` and `row-lookups.ts` make the `leaves.ts`; `fraction-tree.ts` is the tree, `tree-storage.ts`
 * which of its layers are kept, `layer-sumcheck.ts` a layer's rounds, `constant-numerators.ts` the shortcut at the leaves. The verifier has nothing of its own here.
 */
import { add, bitsFor } from '../scalar.ts';

/** Places sections whose sizes are powers of two, the largest first, so that each is aligned to its size; 2^depth leaves hold them. */
export function alignSections<S extends { readonly bits: number }>(
  all: readonly S[],
): { sections: (S & { readonly offset: number })[]; depth: number } {
  let offset = 0;
  const sections = [...all]
    .sort((a, b) => b.bits - a.bits)
    .map((s) => {
      const section = { ...s, offset };
      offset += 2 ** s.bits;
      return section;
    });
  return { sections, depth: bitsFor(offset) };
}

/** The `count` bits of n as a point, the most significant first. */
export const bitsOf = (n: number, count: number): bigint[] =>
  Array.from({ length: count }, (_, i) => BigInt(Math.floor(n / 2 ** (count - 1 - i)) % 2));

/** The multilinear extension of the index itself. */
export const indexAt = (point: readonly bigint[]): bigint => point.reduce((s, x) => add(add(s, s), x), 0n);
