/** Polynomials in bigints, point by point: slow, and exact whatever the integers. */
import type { Polynomial, Term } from '../../compiler/ir/tensor/program.ts';
import { eachPoint, guardFunction, positionFunction, type IndexSource, type Point } from './indices.ts';
import { sizeOf } from './values.ts';

/** The values of a polynomial, row-major over `outputs`. */
export function evaluateWide(p: Polynomial, outputs: readonly number[], source: IndexSource): bigint[] {
  const terms = p.terms.map((term) => termFunction(term, outputs, source));
  const out: bigint[] = [];
  const at: Point = outputs.map(() => 0);
  eachPoint([...outputs.keys()], outputs, at, () => {
    let sum = 0n;
    for (const term of terms) sum += term(at);
    out.push(sum);
  });
  if (out.length !== sizeOf(outputs)) throw new Error('internal error: a point too few');
  return out;
}

function termFunction(term: Term, outputs: readonly number[], source: IndexSource): (at: Point) => bigint {
  const sizes = [...outputs, ...term.reduced.map((v) => v.size)];
  const holds = guardFunction(term.guards, source);
  const factors = term.factors.map((f) => ({
    values: source.values(f.tensor),
    position: positionFunction(f.at, source.shape(f.tensor), source),
  }));
  const reduced = term.reduced.map((_, k) => outputs.length + k);
  return (at) => {
    let sum = 0n;
    eachPoint(reduced, sizes, at, () => {
      if (!holds(at)) return;
      let product = 1n;
      for (const { values, position } of factors) product *= BigInt(values[position(at)]);
      sum += product;
    });
    return term.coefficient * sum;
  };
}
