/** Constants that are 0 everywhere: what is one decides the levels of a program, in every bundle alike. */
import { expect, test } from 'vitest';
import { isNothing } from '../../../compiler/bundle/never.ts';
import { plain, variable } from '../../../compiler/ir/indices/expression.ts';
import type { Compare, IndexExpr } from '../../../compiler/ir/tensor/program.ts';

const constant = plain.constant;
const guarded = (left: IndexExpr, op: Compare['op'], right: number): boolean =>
  isNothing({ kind: 'constant', guards: [{ left, op, right: constant(right) }] }, [3, 4]);

test('are given as zeros, or by a guard that bounds of its sides exclude', () => {
  expect(isNothing({ kind: 'constant', values: [0n, 0n] }, [2])).toBe(true);
  expect(isNothing({ kind: 'constant', values: [0n, 1n] }, [2])).toBe(false);
  expect(isNothing({ kind: 'constant', guards: [] }, [2])).toBe(false);
  expect(isNothing({ kind: 'input' }, [2])).toBe(false);
  expect(guarded(plain.add(variable(0), variable(1)), '>', 5)).toBe(true);
  expect(guarded(plain.add(variable(0), variable(1)), '>', 4)).toBe(false);
  expect(guarded(plain.div(variable(1), 2), '==', 2)).toBe(true);
  expect(guarded(plain.mod(variable(1), 2), '==', 2)).toBe(true);
});

test('are not looked for in what only a remainder excludes', () => {
  // From 4 to 6, which bounds of the sum would say.
  expect(guarded(plain.mod(plain.add(variable(0), constant(4)), 10), '==', 9)).toBe(false);
});
