/** Index arithmetic to test with. */
import fc from 'fast-check';
import type { IndexExpr } from '../../../compiler/ir/tensor/program.ts';

/** Lengths of the variables that `expressions` uses. */
export const lengths = [3, 4, 2];

/** Entries of the index tensor that `expressions` reads, by one index; outside of them it is 1. */
export const tokens = [2, 0, 3, 1];
export const tokenAt = (i: number): number => tokens[i] ?? 1;

const leaf = fc.oneof(
  fc.integer({ min: -3, max: 5 }).map((value): IndexExpr => ({ kind: 'const', value })),
  fc.nat(lengths.length - 1).map((id): IndexExpr => ({ kind: 'var', var: id })),
);

/** Expressions of every kind of node; with `data`, also entries of tensor 7. */
export const expressions = (data: boolean): fc.Arbitrary<IndexExpr> =>
  fc.letrec<{ e: IndexExpr }>((tie) => ({
    e: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      leaf,
      fc.record({ kind: fc.constantFrom('add', 'sub', 'mul'), left: tie('e'), right: tie('e') }),
      fc.record({ kind: fc.constantFrom('div', 'mod'), left: tie('e'), by: fc.integer({ min: 1, max: 5 }) }),
      ...(data ? [tie('e').map((at): IndexExpr => ({ kind: 'entry', tensor: 7, at: [at] }))] : []),
    ),
  })).e;

/** Every point of variables of these lengths, row-major. */
export const pointsOf = (sizes: readonly number[]): number[][] =>
  sizes.reduce<number[][]>(
    (points, size) => points.flatMap((p) => Array.from({ length: size }, (_, x) => [...p, x])),
    [[]],
  );

/** The meaning of an expression, written down once more. */
export function valueOf(e: IndexExpr, at: readonly number[]): number {
  switch (e.kind) {
    case 'const':
      return e.value;
    case 'var':
      return at[e.var];
    case 'add':
      return valueOf(e.left, at) + valueOf(e.right, at);
    case 'sub':
      return valueOf(e.left, at) - valueOf(e.right, at);
    case 'mul':
      return valueOf(e.left, at) * valueOf(e.right, at);
    case 'div':
    case 'mod': {
      const value = valueOf(e.left, at);
      const rest = ((value % e.by) + e.by) % e.by;
      return e.kind === 'mod' ? rest : (value - rest) / e.by;
    }
    case 'entry':
      return tokenAt(valueOf(e.at[0], at));
  }
}
