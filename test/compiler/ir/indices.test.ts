/** The laws of index arithmetic: whatever an expression is turned into, it stays the same function of its variables. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluateIndex, indexFunction, indexFunctions, listed } from '../../../compiler/ir/indices/evaluate.ts';
import {
  foldIndex,
  indexKey,
  mapIndex,
  plain,
  readsData,
  renaming,
  simplified,
  substitution,
  tensorsOf,
  variable,
  variablesOf,
  variablesOfAll,
} from '../../../compiler/ir/indices/expression.ts';
import {
  alwaysHolds,
  compareKey,
  comparisons,
  guardTest,
  guardVariables,
  mapGuard,
  neverHolds,
  opposite,
} from '../../../compiler/ir/indices/guards.ts';
import { interval } from '../../../compiler/ir/indices/interval.ts';
import {
  constant,
  exactQuotient,
  floorQuotient,
  IndexOverflow,
  minus,
  plus,
  product,
  remainder,
} from '../../../compiler/ir/indices/normal.ts';
import { printIndex } from '../../../compiler/ir/indices/print.ts';
import { summands } from '../../../compiler/ir/indices/summands.ts';
import type { Compare, IndexExpr } from '../../../compiler/ir/tensor/program.ts';
import { expressions, lengths, pointsOf, tokenAt, tokens, valueOf } from './expressions.ts';

const points = pointsOf(lengths);
const values = (e: IndexExpr): number[] => points.map((at) => valueOf(e, at) + 0);
const bounds = {
  variable: (id: number) => ({ lo: 0, hi: lengths[id] - 1 }),
  entry: () => ({ lo: 0, hi: Math.max(...tokens) }),
};
const options = { seed: 11, numRuns: 300 };
const check = <A, B, C>(
  of: [fc.Arbitrary<A>, fc.Arbitrary<B>?, fc.Arbitrary<C>?],
  law: (a: A, b: B, c: C) => void,
): void => {
  const none = fc.constant(undefined);
  const all = fc.tuple(of[0], of[1] ?? (none as fc.Arbitrary<B>), of[2] ?? (none as fc.Arbitrary<C>));
  fc.assert(
    fc.property(all, ([a, b, c]) => law(a, b, c)),
    options,
  );
};

describe('an expression', () => {
  test('folded with the nodes is itself', () => {
    check([expressions(true)], (e) => {
      expect(foldIndex(e, plain)).toEqual(e);
      expect(mapIndex(e, {})).toEqual(e);
    });
  });

  test('is the same function by every evaluation', () => {
    const compile = indexFunctions<readonly number[]>({
      variable: listed,
      entry:
        (_, [at]) =>
        (point) =>
          tokenAt(at(point)),
    });
    check([expressions(true)], (e) => {
      expect(points.map(compile(e)).map((n) => n + 0)).toEqual(values(e));
    });
    check([expressions(false)], (e) => {
      expect(points.map(indexFunction(e)).map((n) => n + 0)).toEqual(values(e));
      expect(points.map((at) => evaluateIndex(e, (id) => at[id]) + 0)).toEqual(values(e));
    });
  });

  test('that reads data has no value without it', () => {
    const entry: IndexExpr = { kind: 'entry', tensor: 7, at: [variable(0)] };
    expect(() => indexFunction(entry)).toThrow('taken from a tensor');
    expect(() => evaluateIndex(entry, () => 0)).toThrow('taken from a tensor');
  });

  test('stays the same function where it is simplified', () => {
    check([expressions(true)], (e) => {
      expect(values(foldIndex(e, simplified))).toEqual(values(e));
    });
    const zero: IndexExpr = { kind: 'const', value: 0 };
    const one: IndexExpr = { kind: 'const', value: 1 };
    const x = variable(0);
    expect(simplified.add(x, zero)).toEqual(x);
    expect(simplified.sub(x, zero)).toEqual(x);
    expect(simplified.mul(x, one)).toEqual(x);
    expect(simplified.mod({ kind: 'const', value: -1 }, 3)).toEqual({ kind: 'const', value: 2 });
    expect(simplified.div({ kind: 'const', value: -1 }, 3)).toEqual({ kind: 'const', value: -1 });
  });

  test('with variables replaced is worth what it is at their values', () => {
    const replacements = fc.tuple(expressions(true), expressions(true), expressions(true));
    check([expressions(true), replacements], (e, by) => {
      for (const make of [plain, simplified]) {
        const made = substitution((id) => by[id], make)(e);
        for (const at of points)
          expect(valueOf(made, at)).toBe(
            valueOf(
              e,
              by.map((x) => valueOf(x, at)),
            ),
          );
      }
    });
  });

  test('keeps its variables, renamed, and is itself renamed back', () => {
    check([expressions(true)], (e) => {
      const moved = renaming((id) => 9 - id)(e);
      expect([...variablesOf(moved)]).toEqual([...variablesOf(e)].map((id) => 9 - id));
      expect(renaming((id) => 9 - id)(moved)).toEqual(e);
    });
  });

  test('depends on its variables only, and on data only where it says so', () => {
    check([expressions(true), fc.constantFrom(...points), fc.constantFrom(...points)], (e, at, other) => {
      const mixed = at.map((x, id) => (variablesOf(e).has(id) ? x : other[id]));
      expect(valueOf(e, mixed)).toBe(valueOf(e, at));
      expect(tensorsOf(e).length > 0).toBe(readsData(e));
    });
    const nested: IndexExpr = {
      kind: 'entry',
      tensor: 7,
      at: [{ kind: 'entry', tensor: 8, at: [variable(2)] }, variable(1)],
    };
    expect(tensorsOf(nested)).toEqual([7, 8]);
    expect([...variablesOf(nested)]).toEqual([2, 1]);
    expect(variablesOfAll([nested, variable(0)])).toEqual([0, 1, 2]);
  });

  test('has a key and a text of its own', () => {
    const names = { variable: (id: number) => `i${id}`, tensor: (id: number) => `t${id}` };
    check([expressions(true), expressions(true)], (a, b) => {
      expect(indexKey(a) === indexKey(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      if (printIndex(a, names) === printIndex(b, names)) expect(values(a)).toEqual(values(b));
    });
    const [i, j] = [variable(0), variable(1)];
    expect(printIndex(plain.sub(i, plain.add(j, i)), names)).toBe('i0 - (i1 + i0)');
    expect(printIndex(plain.mul(plain.add(i, j), plain.mul(i, j)), names)).toBe('(i0 + i1) * (i0 * i1)');
    expect(printIndex(plain.mod(plain.div(plain.sub(i, j), 4), 3), names)).toBe('(i0 - i1) div 4 mod 3');
  });

  test('is within its bounds', () => {
    check([expressions(true)], (e) => {
      const { lo, hi } = interval(e, bounds);
      for (const v of values(e)) {
        expect(v).toBeGreaterThanOrEqual(lo);
        expect(v).toBeLessThanOrEqual(hi);
      }
    });
    // Within one block of the divisor a remainder is what is left of the bounds.
    expect(interval(plain.mod(plain.add(variable(0), { kind: 'const', value: 5 }), 10), bounds)).toEqual({
      lo: 5,
      hi: 7,
    });
    expect(interval(plain.mod(variable(1), 3), bounds)).toEqual({ lo: 0, hi: 2 });
  });

  test('is the sum of its summands, each of one variable', () => {
    let separable = 0;
    check([expressions(true)], (e) => {
      const parts = summands(e);
      if (parts === undefined) {
        expect(variablesOf(e).size).toBeGreaterThan(1);
        return;
      }
      separable++;
      for (const { of, variable: id } of parts) expect([...variablesOf(of)]).toEqual(id === undefined ? [] : [id]);
      expect(points.map((at) => parts.reduce((n, { factor, of }) => n + factor * valueOf(of, at), 0) + 0)).toEqual(
        values(e),
      );
    });
    expect(separable).toBeGreaterThan(100);
    expect(summands(plain.mul(variable(0), variable(1)))).toBeUndefined();
    expect(summands(plain.mul(plain.sub(variable(0), variable(1)), plain.mul(constant(2), constant(3))))).toEqual([
      { factor: 6, of: variable(0), variable: 0 },
      { factor: -6, of: variable(1), variable: 1 },
    ]);
  });
});

describe('the normal form', () => {
  test('of sums, products, quotients and remainders is the same function', () => {
    check([expressions(true), expressions(true), fc.integer({ min: 1, max: 6 })], (a, b, by) => {
      const expected = (f: (x: number, y: number) => number): number[] =>
        points.map((at) => f(valueOf(a, at), valueOf(b, at)) + 0);
      expect(values(plus(a, b))).toEqual(expected((x, y) => x + y));
      expect(values(minus(a, b))).toEqual(expected((x, y) => x - y));
      expect(values(product(a, b))).toEqual(expected((x, y) => x * y));
      expect(values(floorQuotient(a, by, bounds))).toEqual(expected((x) => Math.floor(x / by)));
      expect(values(remainder(a, by, bounds))).toEqual(expected((x) => x - by * Math.floor(x / by)));
      const exact = exactQuotient(a, by);
      if (exact !== undefined) expect(values(exact)).toEqual(expected((x) => x / by));
      expect(minus(a, a)).toEqual(constant(0));
    });
  });

  test('is one for what is written differently', () => {
    const [i, j] = [variable(0), variable(1)];
    const flat = plus(product(i, constant(4)), j);
    expect(floorQuotient(flat, 4, bounds)).toEqual(i);
    expect(remainder(flat, 4, bounds)).toEqual(j);
    expect(minus(plus(j, i), j)).toEqual(i);
    expect(exactQuotient(plus(product(constant(6), i), constant(3)), 3)).toEqual(
      plus(product(constant(2), i), constant(1)),
    );
    expect(exactQuotient(plus(product(constant(6), i), constant(2)), 3)).toBeUndefined();
  });

  test('ends where doubles are not exact', () => {
    const large = constant(2 ** 52);
    expect(() => plus(large, plus(large, large))).toThrow(IndexOverflow);
    expect(() => constant(2 ** 53)).toThrow(IndexOverflow);
  });
});

describe('guards', () => {
  const operators = Object.keys(comparisons) as Compare['op'][];
  const guard = fc.record({ left: expressions(true), op: fc.constantFrom(...operators), right: expressions(true) });
  const holds = (g: Compare, at: readonly number[]): boolean =>
    comparisons[g.op](valueOf(g.left, at), valueOf(g.right, at));

  test('hold together where each of them does', () => {
    check([fc.array(guard, { maxLength: 3 })], (guards) => {
      const test = guardTest<readonly number[]>(guards, (e) => (at) => valueOf(e, at));
      for (const at of points) expect(test(at)).toBe(guards.every((g) => holds(g, at)));
    });
  });

  test('have an opposite that holds where they do not, and a key in common', () => {
    check([guard], (g) => {
      for (const at of points) expect(holds(opposite(g), at)).toBe(!holds(g, at));
      const [own, other] = [compareKey(g), compareKey(opposite(g))];
      expect(other).toEqual({ key: own.key, sign: !own.sign });
    });
  });

  test('hold everywhere or nowhere where bounds say so', () => {
    let [always, never] = [0, 0];
    check([guard], (g) => {
      const [a, b] = [interval(g.left, bounds), interval(g.right, bounds)];
      if (alwaysHolds(g.op, a, b)) {
        always++;
        for (const at of points) expect(holds(g, at)).toBe(true);
      }
      if (neverHolds(g.op, a, b)) {
        never++;
        for (const at of points) expect(holds(g, at)).toBe(false);
      }
    });
    expect(Math.min(always, never)).toBeGreaterThan(10);
    for (const op of operators)
      for (const [a, b] of pointsOf([3, 3])) {
        const [x, y] = [
          { lo: a, hi: a },
          { lo: b, hi: b },
        ];
        expect([alwaysHolds(op, x, y), neverHolds(op, x, y)]).toEqual([comparisons[op](a, b), !comparisons[op](a, b)]);
      }
  });

  test('are changed on both sides', () => {
    check([guard], (g) => {
      const moved = mapGuard(
        g,
        renaming((id) => id + 4),
      );
      expect([...guardVariables([moved])]).toEqual([...guardVariables([g])].map((id) => id + 4));
      expect(
        mapGuard(
          moved,
          renaming((id) => id - 4),
        ),
      ).toEqual(g);
    });
  });
});

test('remainders are exact at the ends of what a number holds', () => {
  for (const by of [1, 2, 3, 5, 7, 65_537, 2 ** 32 - 1, 2 ** 32])
    for (const value of [-(2 ** 53 - 1), -(2 ** 53 - 2), -by, -1, 0, 1, by - 1, 2 ** 53 - 1]) {
      const exact = Number(((BigInt(value) % BigInt(by)) + BigInt(by)) % BigInt(by));
      const e: IndexExpr = { kind: 'mod', left: { kind: 'var', var: 0 }, by };
      expect(evaluateIndex(e, () => value)).toBe(exact);
      expect(indexFunction(e)([value])).toBe(exact);
    }
});
