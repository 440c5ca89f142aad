/** Terms of gadget programs as sums of products. */
import type { AxisBinding, GadgetProgram, GadgetTensor, GadgetTerm } from '../../../compiler/ir/gadget/program.ts';
import { rangeMagnitude, type ComputedIntegers } from '../../integers/arrays.ts';
import { bitsFor } from '../../protocol/scalar.ts';
import type { Factor } from '../sums/factors.ts';
import { addBigProducts, denseSteps, loopsOver } from '../sums/loops.ts';
import type { SumTerm } from '../sums/sums.ts';

/** Indices are the target's, those that the term sums over, and axes that only one factor has. */
export function sumTermOf(
  program: GadgetProgram,
  t: GadgetTensor,
  term: GadgetTerm,
  values: (id: number) => ComputedIntegers,
): SumTerm {
  const halves = term.factors.flatMap((f, k) => f.axes.flatMap((a, j) => (a.kind === 'half' ? [{ k, j }] : [])));
  const lengthOf = ({ k, j }: (typeof halves)[number]): number => program.tensors[term.factors[k].tensor].shape[j];
  const ownVariables = term.variables.slice(term.shared.length);
  const lengths = [...t.shape, ...ownVariables, ...halves.map(lengthOf)];
  const indexOf = (a: AxisBinding, k: number, j: number): number => {
    if (a.kind === 'output') return a.output;
    if (a.kind === 'half')
      return t.shape.length + ownVariables.length + halves.findIndex((h) => h.k === k && h.j === j);
    return a.variable < term.shared.length ? term.shared[a.variable] : t.shape.length + a.variable - term.shared.length;
  };
  const factors = term.factors.map((f, k): Factor => {
    const { shape, range } = program.tensors[f.tensor];
    const own = denseSteps([...shape.keys()], shape);
    const steps = lengths.map(() => 0);
    for (const [j, a] of f.axes.entries()) steps[indexOf(a, k, j)] += own[j];
    return { values: values(f.tensor), base: 0, steps, bound: rangeMagnitude(range) };
  });
  // The protocol sums over such an axis with halves for weights, which the coefficient makes up for.
  const coefficient = halves.reduce((n, h) => n / BigInt(2 ** bitsFor(lengthOf(h))), term.coefficient);
  return { coefficient, lengths, factors };
}

/** The target's entries as integers of any size. */
export function sumExactly(
  program: GadgetProgram,
  t: GadgetTensor,
  terms: readonly GadgetTerm[],
  entries: (id: number) => readonly bigint[],
): bigint[] {
  const sums = Array.from({ length: t.shape.reduce((n, d) => n * d, 1) }, () => 0n);
  const steps = denseSteps([...t.shape.keys()], t.shape);
  for (const term of terms) {
    const { lengths, factors, coefficient } = sumTermOf(program, t, term, (id) => entries(id) as bigint[]);
    const target = lengths.map((_, id) => steps[id] ?? 0);
    addBigProducts(loopsOver([...lengths.keys()], lengths, target, factors), factors, BigInt(coefficient), sums);
  }
  return sums;
}
