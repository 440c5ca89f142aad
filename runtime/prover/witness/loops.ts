/** The loops of a sum of products, and where they lead in each array. */
import type { AxisBinding, GadgetProgram, GadgetTensor, GadgetTerm } from '../../../compiler/ir/gadget/program.ts';
import { bitsFor } from '../../protocol/scalar.ts';

/** A loop of a term: over an output index, a summed reduced index, or an axis that only one factor has. */
export interface Loop {
  readonly length: number;
  /** Stride in the target (0 for reduced) and in each factor. */
  readonly target: number;
  readonly factors: readonly number[];
}

export const sizeOf = (loops: readonly { readonly length: number }[]): number =>
  loops.reduce((n, l) => n * l.length, 1);

const strides = (shape: readonly number[]): number[] =>
  shape.map((_, j) => shape.slice(j + 1).reduce((n, d) => n * d, 1));

/** The loops of a term, those over output indices first and in order, and the coefficient of its raw sum. */
export function loopsOf(
  program: GadgetProgram,
  t: GadgetTensor,
  term: GadgetTerm,
): { loops: Loop[]; coefficient: bigint } {
  const targetStrides = strides(t.shape);
  const factorStrides = term.factors.map((f) => strides(program.tensors[f.tensor].shape));
  const along = (match: (a: AxisBinding) => boolean): number[] =>
    term.factors.map((f, k) => f.axes.reduce((s, a, j) => (match(a) ? s + factorStrides[k][j] : s), 0));
  const outputs = t.shape.map((length, o): Loop => {
    const v = term.shared.indexOf(o);
    const factors = along(
      (a) => (a.kind === 'output' && a.output === o) || (v >= 0 && a.kind === 'summed' && a.variable === v),
    );
    return { length, target: targetStrides[o], factors };
  });
  const summed = term.variables
    .map((length, v): Loop => ({ length, target: 0, factors: along((a) => a.kind === 'summed' && a.variable === v) }))
    .slice(term.shared.length);
  let coefficient = term.coefficient;
  const halves: Loop[] = [];
  for (const [k, f] of term.factors.entries())
    for (const [j, a] of f.axes.entries())
      if (a.kind === 'half') {
        const length = program.tensors[f.tensor].shape[j];
        coefficient /= BigInt(2 ** bitsFor(length));
        halves.push({ length, target: 0, factors: term.factors.map((_, i) => (i === k ? factorStrides[k][j] : 0)) });
      }
  return { loops: [...outputs, ...summed, ...halves].filter((l) => l.length > 1), coefficient };
}

/** Positions that nested loops lead to, the last one innermost. */
export function positions(loops: readonly { readonly length: number }[], steps: readonly number[]): Int32Array {
  let map = new Int32Array(1);
  for (const [j, { length }] of loops.entries()) {
    const next = new Int32Array(map.length * length);
    for (let k = 0, n = 0; k < map.length; k++) for (let i = 0; i < length; i++) next[n++] = map[k] + i * steps[j];
    map = next;
  }
  return map;
}

/** The step between positions that follow each other, where there is but one. */
export function stepOf(positions: Int32Array): number | undefined {
  const step = positions.length > 1 ? positions[1] - positions[0] : 0;
  for (let i = 1; i < positions.length; i++) if (positions[i] - positions[i - 1] !== step) return undefined;
  return step;
}
