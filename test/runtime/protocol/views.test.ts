import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import { evaluateIndex } from '../../../compiler/ir/indices/evaluate.ts';
import type { Compare, IndexExpr } from '../../../compiler/ir/tensor/program.ts';
import { createReferenceDevice } from '../../../runtime/device/reference.ts';
import { evaluateViewWeight } from '../../../runtime/protocol/statement/publics.ts';
import { add as sum, bitsFor, mul } from '../../../runtime/protocol/scalar.ts';
import { digitMap, forEachIndex, maskValues, viewMap, viewParts } from '../../../runtime/protocol/statement/views.ts';
import { shapes } from '../../kit/arbitrary.ts';
import { Draw } from '../../kit/draw.ts';
import { evaluate, size } from './multilinear.ts';

const v = (k: number): IndexExpr => ({ kind: 'var', var: k });
const c = (value: number): IndexExpr => ({ kind: 'const', value });
const valueAt = (e: IndexExpr, index: readonly number[]): number => evaluateIndex(e, (id) => index[id]);

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

  test('parts of an index that cancel leave it exact, however large they are', () => {
    // 2^50 i + i - 2^50 j: a bundle may say so, and times the 13 of the axis after it, it is beyond exact doubles.
    const large: IndexExpr = { kind: 'mul', left: c(2 ** 25), right: c(2 ** 25) };
    const first: IndexExpr = {
      kind: 'sub',
      left: add(times(large, v(0)), v(0)),
      right: times(large, v(1)),
    };
    expect([...viewMap([3, 3], [3, 13], [first, c(12)], [])]).toEqual([12, -1, -1, -1, 25, -1, -1, -1, 38]);
    const [part] = viewParts([2, 2], [13, 13], [first, v(0)], []);
    expect([...part.map]).toEqual([0, -1, -1, 14]);
  });

  const add = (left: IndexExpr, right: IndexExpr): IndexExpr => ({ kind: 'add', left, right });
  const times = (left: IndexExpr, right: IndexExpr): IndexExpr => ({ kind: 'mul', left, right });

  test('axes that have nothing to do with each other are in different parts', () => {
    const heads = viewParts([3, 5, 4], [5, 24], [v(1), add(add(times(c(4), v(0)), v(2)), c(12))], []);
    expect(heads.map(({ axes, of }) => [axes, of])).toEqual([
      [[0, 2], [1]],
      [[1], [0]],
    ]);
    const causal: Compare = { left: v(0), op: '<=', right: v(1) };
    expect(viewParts([4, 4], [4, 4], [v(0), v(1)], [causal]).map((p) => p.axes)).toEqual([[0, 1]]);
  });

  test('an entry is where its parts are, and 0 where one of them is', () => {
    const index = (axes: number): fc.Arbitrary<IndexExpr> => {
      const variable = fc.nat(axes - 1).map(v);
      return fc.oneof(
        variable,
        fc.integer({ min: -1, max: 4 }).map(c),
        fc.tuple(variable, fc.integer({ min: -2, max: 2 })).map(([x, k]) => add(x, c(k))),
        fc.tuple(variable, variable).map(([x, y]) => add(times(c(2), x), y)),
        variable.map((left): IndexExpr => ({ kind: 'mod', left, by: 2 })),
        variable.map((left): IndexExpr => ({ kind: 'div', left, by: 2 })),
      );
    };
    const length = fc.integer({ min: 1, max: 5 });
    const view = fc.integer({ min: 1, max: 4 }).chain((axes) =>
      fc.record({
        shape: fc.array(length, { minLength: axes, maxLength: axes }),
        viewed: fc.array(fc.tuple(length, index(axes)), { maxLength: 3 }),
        guards: fc.array(
          fc.record({ left: index(axes), op: fc.constantFrom<Compare['op']>('<', '>=', '!='), right: index(axes) }),
          { maxLength: 2 },
        ),
      }),
    );
    fc.assert(
      fc.property(view, ({ shape, viewed, guards }) => {
        const [of, at] = [viewed.map(([n]) => n), viewed.map(([, e]) => e)];
        const parts = viewParts(shape, of, at, guards);
        expect(parts.flatMap((p) => p.axes).sort()).toEqual(shape.map((_, j) => j));
        expect(parts.flatMap((p) => p.of).sort()).toEqual(of.map((_, j) => j));
        const whole = viewMap(shape, of, at, guards);
        forEachIndex(shape, (variables, entry) => {
          const place = of.map(() => 0);
          let absent = false;
          for (const p of parts) {
            let at = p.map[p.axes.reduce((n, j) => n * shape[j] + variables[j], 0)];
            absent ||= at < 0;
            for (const j of p.of.toReversed()) {
              place[j] = at % of[j];
              at = Math.floor(at / of[j]);
            }
          }
          expect(absent ? -1 : place.reduce((n, i, j) => n * of[j] + i, 0)).toBe(whole[entry]);
        });
      }),
      { seed: 8, numRuns: 300 },
    );
  });

  test('division and remainder are floor division', () => {
    fc.assert(
      fc.property(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 9 }), (n, by) => {
        const q = evaluateIndex({ kind: 'div', left: c(n), by }, () => 0);
        const m = evaluateIndex({ kind: 'mod', left: c(n), by }, () => 0);
        expect(q * by + m).toBe(n);
        expect(m >= 0 && m < by).toBe(true);
      }),
      { seed: 7, numRuns: 100 },
    );
  });

  test('comparisons mean what they say, and all guards have to hold', () => {
    const holds = (guards: readonly Compare[]): boolean => maskValues([], guards)[0] === 1;
    const ops = ['<', '<=', '==', '!=', '>=', '>'] as const;
    for (const [a, b] of [
      [0, 1],
      [1, 1],
      [2, 1],
    ])
      expect(ops.map((op) => holds([{ left: c(a), op, right: c(b) }]))).toEqual([
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
    expect([holds([yes, yes]), holds([yes, no]), holds([])]).toEqual([true, false, true]);
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

  test('maps say of every entry what the expressions say of its index', () => {
    const shape = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        shape.chain((own) =>
          fc.record({
            own: fc.constant(own),
            of: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
            at: fc.array(expression(own.length), { minLength: 3, maxLength: 3 }),
            guards: fc.array(
              fc.record({
                left: expression(own.length),
                op: fc.constantFrom('<', '<=', '==', '!=', '>=', '>'),
                right: expression(own.length),
              }),
              { maxLength: 2 },
            ),
          }),
        ),
        ({ own, of, at, guards }) => {
          const [map, mask] = [viewMap(own, of, at.slice(0, of.length), guards), maskValues(own, guards)];
          forEachIndex(own, (index, position) => {
            const inside = guards.every(({ left, op, right }) =>
              compare(op, valueAt(left, index), valueAt(right, index)),
            );
            const to = of.map((_, j) => valueAt(at[j], index));
            const flat = to.reduce((n, i, j) => n * of[j] + i, 0);
            expect(mask[position]).toBe(inside ? 1 : 0);
            expect(map[position]).toBe(inside && to.every((i, j) => i >= 0 && i < of[j]) ? flat : -1);
          });
        },
      ),
      { seed: 9, numRuns: 300 },
    );
  });

  test('the weight of what is viewed is the sum over its definition', async () => {
    const device = createReferenceDevice();
    const axes = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3 });
    const cases = fc
      .tuple(
        axes.filter((own) => own.length > 0),
        axes,
        fc.nat(),
      )
      .chain(([own, of, seed]) =>
        fc.record({
          own: fc.constant(own),
          of: fc.constant(of),
          seed: fc.constant(seed),
          at: fc.array(expression(own.length), { minLength: of.length, maxLength: of.length }),
          guards: fc.array(
            fc.record({
              left: expression(own.length),
              op: fc.constantFrom<Compare['op']>('<', '==', '>='),
              right: expression(own.length),
            }),
            { maxLength: 2 },
          ),
        }),
      );
    const one = (shape: readonly number[], position: number): bigint[] =>
      Array.from({ length: size(shape) }, (_, i) => (i === position ? 1n : 0n));
    await fc.assert(
      fc.asyncProperty(cases, async ({ own, of, seed, at, guards }) => {
        const draw = new Draw('view', seed);
        const [claim, point] = [own, of].map((shape) =>
          shape.map((n) => Array.from({ length: bitsFor(n) }, () => draw.scalar())),
        );
        let weight = 0n;
        forEachIndex(own, (index, position) => {
          const inside = guards.every(({ left, op, right }) =>
            compare(op, valueAt(left, index), valueAt(right, index)),
          );
          const to = at.map((e) => valueAt(e, index));
          if (!inside || to.some((i, j) => i < 0 || i >= of[j])) return;
          const flat = to.reduce((n, i, j) => n * of[j] + i, 0);
          weight = sum(weight, mul(evaluate(own, one(own, position), claim), evaluate(of, one(of, flat), point)));
        });
        const program = {
          tensors: [
            { name: 'viewed', shape: of, class: { kind: 'input' } },
            { name: 'view', shape: own, class: { kind: 'view', level: 1, of: 0, at, guards } },
          ],
        } as unknown as GadgetProgram;
        expect(await evaluateViewWeight(device, program, 1, claim, point)).toBe(weight);
      }),
      { seed: 11, numRuns: 150 },
    );
  });

  test('a view by digits puts them together', () => {
    const cases = fc.record({
      own: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
      of: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
      digits: fc.array(fc.array(fc.nat({ max: 10 }), { maxLength: 4 }), { minLength: 3, maxLength: 3 }),
    });
    fc.assert(
      fc.property(cases, ({ own, of, digits }) => {
        const axes = of.map((_, j) =>
          digits[j].map((d) =>
            d < 2 ? (d as 0 | 1) : { variable: (d - 2) % own.length, bit: Math.floor((d - 2) / 3) },
          ),
        );
        const map = digitMap(own, of, axes);
        forEachIndex(own, (index, position) => {
          const to = axes.map((list) =>
            list.reduce((n: number, d) => 2 * n + (typeof d === 'number' ? d : (index[d.variable] >> d.bit) & 1), 0),
          );
          const flat = to.reduce((n, i, j) => n * of[j] + i, 0);
          expect(map[position]).toBe(to.every((i, j) => i < of[j]) ? flat : -1);
        });
      }),
      { seed: 10, numRuns: 300 },
    );
  });
});

const compare = (op: Compare['op'], a: number, b: number): boolean =>
  ({ '<': a < b, '<=': a <= b, '==': a === b, '!=': a !== b, '>=': a >= b, '>': a > b })[op];

/** Sums of functions of one index each, and products and quotients that mix them. */
function expression(variables: number): fc.Arbitrary<IndexExpr> {
  const leaf = fc.oneof(fc.integer({ min: -2, max: 4 }).map(c), fc.nat({ max: variables - 1 }).map(v));
  const { tree } = fc.letrec<{ tree: IndexExpr }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.record({ kind: fc.constantFrom('add', 'sub', 'mul'), left: tie('tree'), right: tie('tree') }),
      fc.record({ kind: fc.constantFrom('div', 'mod'), left: tie('tree'), by: fc.integer({ min: 1, max: 4 }) }),
    ),
  }));
  return tree;
}
