/** Views by binary digits: which accesses are such, and that a claim about one is a claim about the tensor it views. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digitsOf } from '../../../compiler/lower/rewrite/digits.ts';
import type { IndexExpr } from '../../../compiler/ir/tensor/program.ts';
import { bitsFor } from '../../../runtime/protocol/scalar.ts';
import { digitMap, viewMap } from '../../../runtime/protocol/statement/views.ts';
import { Draw } from '../../kit/draw.ts';
import { evaluate } from './multilinear.ts';

const v = (k: number): IndexExpr => ({ kind: 'var', var: k });
const c = (value: number): IndexExpr => ({ kind: 'const', value });
const add = (left: IndexExpr, right: IndexExpr): IndexExpr => ({ kind: 'add', left, right });
const mul = (left: IndexExpr, right: IndexExpr): IndexExpr => ({ kind: 'mul', left, right });
const div = (left: IndexExpr, by: number): IndexExpr => ({ kind: 'div', left, by });
const mod = (left: IndexExpr, by: number): IndexExpr => ({ kind: 'mod', left, by });

interface Case {
  readonly shape: readonly number[];
  readonly of: readonly number[];
  readonly at: readonly IndexExpr[];
}

const digits: Record<string, Case> = {
  'heads taken apart': { shape: [3, 4, 8], of: [3, 32], at: [v(0), add(mul(v(1), c(8)), v(2))] },
  'twelve heads of 64': { shape: [12, 4], of: [48], at: [add(mul(c(4), v(0)), v(1))] },
  'heads put together': { shape: [3, 32], of: [4, 3, 8], at: [div(v(1), 8), v(0), mod(v(1), 8)] },
  'grouped heads': { shape: [8, 5], of: [4, 5], at: [div(v(0), 2), v(1)] },
  'six heads in groups of two': { shape: [6], of: [3], at: [div(v(0), 2)] },
  'heads put together and grouped': { shape: [32], of: [2, 8], at: [div(div(v(0), 8), 2), mod(v(0), 8)] },
  'one row': { shape: [7], of: [5, 7], at: [c(4), v(0)] },
  transposed: { shape: [3, 5], of: [5, 3], at: [v(1), v(0)] },
};

const others: Record<string, Case> = {
  shifted: { shape: [4], of: [5], at: [add(v(0), c(1))] },
  'a stride that is no power of two': { shape: [4, 3], of: [12], at: [add(mul(v(0), c(3)), v(1))] },
  'a diagonal': { shape: [4], of: [4, 4], at: [v(0), v(0)] },
  'an index whose padding would stay inside': { shape: [3], of: [4], at: [v(0)] },
  'six heads in groups of four, the last half empty, of a tensor that is not': {
    shape: [6],
    of: [2],
    at: [div(v(0), 4)],
  },
};

describe('views by digits', () => {
  test.each(Object.entries(digits))('%s: is one, and means the same', (_, { shape, of, at }) => {
    const axes = digitsOf(shape, of, at);
    if (!axes) throw new Error('is none');
    expect(digitMap(shape, of, axes)).toEqual(viewMap(shape, of, at, []));
    fc.assert(
      fc.property(fc.nat(1e9), (seed) => {
        const draw = new Draw('digits', seed);
        const values = draw.integers(
          { lo: -9n, hi: 9n },
          of.reduce((n, d) => n * d, 1),
        );
        const view = Array.from(viewMap(shape, of, at, []), (k) => (k < 0 ? 0n : values[k]));
        const point = shape.map((n) => Array.from({ length: bitsFor(n) }, () => draw.scalar()));
        const moved = axes.map((axis) =>
          axis.map((d) =>
            typeof d === 'number' ? BigInt(d) : point[d.variable][point[d.variable].length - 1 - d.bit],
          ),
        );
        expect(evaluate(shape, view, point)).toBe(evaluate(of, values, moved));
      }),
      { seed: 1, numRuns: 5 },
    );
  });

  test.each(Object.entries(others))('%s: is none', (_, { shape, of, at }) => {
    expect(digitsOf(shape, of, at)).toBeUndefined();
  });
});
