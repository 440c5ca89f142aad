import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Compare, IndexExpr } from '../../compiler/tensor/program.ts';
import { evaluateIndex, guardsHold, maskValues, viewMap } from '../../runtime/protocol/views.ts';
import { shapes } from '../kit/arbitrary.ts';
import { size } from './multilinear.ts';

const v = (k: number): IndexExpr => ({ kind: 'var', var: k });
const c = (value: number): IndexExpr => ({ kind: 'const', value });

describe('views', () => {
  test('a transpose takes the transposed entry', () => {
    fc.assert(
      fc.property(fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 })), ([n, m]) => {
        const map = viewMap([n, m], [m, n], [v(1), v(0)], []);
        for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) expect(map[i * m + j]).toBe(j * n + i);
      }),
      { seed: 6, numRuns: 40 },
    );
  });

  test('positions outside the tensor, and entries whose guards fail, are -1', () => {
    const shifted = viewMap([5], [5], [{ kind: 'sub', left: v(0), right: c(2) }], []);
    expect([...shifted]).toEqual([-1, -1, 0, 1, 2]);
    const odd: Compare = { left: { kind: 'mod', left: v(0), by: 2 }, op: '==', right: c(1) };
    expect([...viewMap([5], [5], [v(0)], [odd])]).toEqual([-1, 1, -1, 3, -1]);
    expect([...viewMap([2], [2, 3], [v(0), c(3)], [])]).toEqual([-1, -1]);
  });

  test('division and remainder are floor division', () => {
    fc.assert(
      fc.property(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 9 }), (n, by) => {
        const q = evaluateIndex({ kind: 'div', left: c(n), by }, []);
        const m = evaluateIndex({ kind: 'mod', left: c(n), by }, []);
        expect(q * by + m).toBe(n);
        expect(m >= 0 && m < by).toBe(true);
      }),
      { seed: 7, numRuns: 100 },
    );
  });

  test('comparisons mean what they say, and all guards have to hold', () => {
    const ops = ['<', '<=', '==', '!=', '>=', '>'] as const;
    for (const [a, b] of [
      [0, 1],
      [1, 1],
      [2, 1],
    ])
      expect(ops.map((op) => guardsHold([{ left: c(a), op, right: c(b) }], []))).toEqual([
        a < b,
        a <= b,
        a === b,
        a !== b,
        a >= b,
        a > b,
      ]);
    const [yes, no]: Compare[] = [
      { left: c(0), op: '<', right: c(1) },
      { left: c(0), op: '>', right: c(1) },
    ];
    expect([guardsHold([yes, yes], []), guardsHold([yes, no], []), guardsHold([], [])]).toEqual([true, false, true]);
  });

  test('a mask is the indicator of its guards', () => {
    fc.assert(
      fc.property(shapes({ maxAxes: 2 }), fc.integer({ min: -2, max: 8 }), (shape, bound) => {
        const left: IndexExpr =
          shape.length > 1 ? { kind: 'add', left: v(0), right: v(1) } : shape.length === 1 ? v(0) : c(1);
        const values = maskValues(shape, [{ left, op: '<', right: c(bound) }]);
        expect(values).toHaveLength(size(shape));
        const inner = shape.at(-1) ?? 1;
        for (const [p, value] of values.entries()) {
          const sum = shape.length > 1 ? Math.floor(p / inner) + (p % inner) : shape.length === 1 ? p : 1;
          expect(value).toBe(sum < bound ? 1 : 0);
        }
      }),
      { seed: 8, numRuns: 60 },
    );
  });
});
