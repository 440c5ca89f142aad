/**
 * The text in a bundle's section KERN: the summand of every sumcheck, without coefficients and sums. Nothing reads it;
 * `printKernels` says more, of the program itself. It is written as it is because a change of it would be one of the
 * format.
 */
import type { GadgetProgram } from '../ir/gadget/program.ts';

export function kernelsSection(p: GadgetProgram): string {
  const lines = p.equations.flatMap((e) =>
    e.terms.map((t) => {
      const tables = t.factors.map((f, k) => `t${k} = ${p.tensors[f.tensor].name}`).join(', ');
      return `level ${e.level} ${p.tensors[e.target].name}: ${t.factors.map((_, k) => `t${k}`).join(' * ') || '1'} where ${tables || 'nothing'}`;
    }),
  );
  return [...lines, ''].join('\n');
}
